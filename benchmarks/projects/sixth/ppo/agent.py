import torch
import torch.nn.functional as F

from buffer import RolloutBuffer


class PPO:
    def __init__(self, net, env, cfg):
        self.net, self.env, self.cfg = net, env, cfg
        self.optimizer = torch.optim.Adam(net.parameters(), lr=cfg.lr)
        self.buffer = RolloutBuffer(cfg.gamma, cfg.lam)

    def collect(self):
        self.buffer.clear()
        obs = torch.from_numpy(self.env.observe())
        for _ in range(self.cfg.horizon // self.env.n):
            a, logp, v = self.net.act(obs)
            nxt, r, done = self.env.step(a.numpy())
            self.buffer.add(obs=obs, actions=a, logp=logp, values=v, rewards=r, dones=done)
            obs = torch.from_numpy(nxt)
        self.buffer.finish(self.net.act(obs)[2])
        return self.buffer.flat["rewards"].mean().item()

    def losses(self, b):
        logp, values = self.net.evaluate(b)
        ratio = (logp - b.logp).exp()
        clipped = ratio.clamp(1 - self.cfg.clip, 1 + self.cfg.clip)
        policy = -torch.min(ratio * b.adv, clipped * b.adv).mean()
        return policy, F.mse_loss(values, b.returns), (b.logp - logp).mean().item()

    def update(self):
        for _ in range(self.cfg.epochs):
            for b in self.buffer.batches(self.cfg.minibatch_size):
                policy, value, kl = self.losses(b)
                if kl > self.cfg.target_kl:
                    return value.item(), kl
                self.optimizer.zero_grad()
                (policy + self.cfg.vf_coef * value).backward()
                self.optimizer.step()
        return value.item(), kl

    def learn(self):
        for it in range(self.cfg.iterations):
            reward = self.collect()
            value, kl = self.update()
            print(f"iter {it} reward {reward:.3f} kl {kl:.4f} value loss {value:.3f}")
