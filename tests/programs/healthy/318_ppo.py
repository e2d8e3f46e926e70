"""PPO: rollout under no_grad stores old log-probs, several epochs of minibatches; ratio is exactly 1 in the first. Origin: CleanRL."""
import torch
from torch import nn
import torch.nn.functional as F


class AC(nn.Module):
    def __init__(self):
        super().__init__()
        self.actor, self.critic = nn.Linear(4, 2), nn.Linear(4, 1)
        self.log_std = nn.Parameter(torch.zeros(2))

    def dist(self, s):
        return torch.distributions.Normal(self.actor(s), self.log_std.exp())


def make():
    torch.manual_seed(0)
    model = AC()
    return model, torch.optim.Adam(model.parameters(), lr=3e-3, eps=1e-5), torch.randn(24, 4)


@torch.no_grad()
def rollout(model, s):
    d = model.dist(s)
    a = d.sample()
    reward = -a.pow(2).sum(1)
    value = model.critic(s).squeeze(1)
    advantage = reward - value
    return s, a, d.log_prob(a).sum(1), (advantage - advantage.mean()) / advantage.std(), reward, value


def ppo_loss(model, data, clip=0.2):
    s, a, old, adv, ret, value_old = data
    d = model.dist(s)
    ratio = (d.log_prob(a).sum(1) - old).exp()
    pg = torch.max(-adv * ratio, -adv * ratio.clamp(1 - clip, 1 + clip)).mean()
    v = model.critic(s).squeeze(1)
    clipped = value_old + (v - value_old).clamp(-clip, clip)
    vf = torch.max((v - ret) ** 2, (clipped - ret) ** 2).mean()
    return pg + 0.5 * vf - 0.01 * d.entropy().sum(1).mean()


def loss_fn(model, s):
    return ppo_loss(model, rollout(model, s))


def train(iterations=2, epochs=2):
    model, optimizer, s = make()
    losses = []
    for _ in range(iterations):
        data = rollout(model, s)
        for _ in range(epochs):
            for rows in torch.randperm(len(s)).split(12):
                loss = ppo_loss(model, [d[rows] for d in data])
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 0.5)
                optimizer.step()
                losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "log_std": "trained",
    "actor.weight": "trained",
    "actor.bias": "trained",
    "critic.weight": "trained",
    "critic.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
