"""DDPG: the actor's loss passes through the critic, whose gradients are thrown away; Polyak targets. Origin: DDPG."""
import torch
from torch import nn
import torch.nn.functional as F


import copy


class DDPG(nn.Module):
    def __init__(self):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1), nn.Tanh())
        self.critic = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
        self.actor_t = copy.deepcopy(self.actor).requires_grad_(False)
        self.critic_t = copy.deepcopy(self.critic).requires_grad_(False)


def make():
    torch.manual_seed(0)
    m = DDPG()
    opts = {"pi": torch.optim.Adam(m.actor.parameters(), lr=1e-3), "q": torch.optim.Adam(m.critic.parameters(), lr=1e-3)}
    return m, opts, (torch.randn(16, 3), torch.rand(16, 1), torch.randn(16, 1), torch.randn(16, 3))


def q_loss(m, b):
    s, a, r, s2 = b
    with torch.no_grad():
        y = r + 0.99 * m.critic_t(torch.cat([s2, m.actor_t(s2)], 1))
    return F.mse_loss(m.critic(torch.cat([s, a], 1)), y)


def pi_loss(m, b):
    return -m.critic(torch.cat([b[0], m.actor(b[0])], 1)).mean()


def loss_fn(m, b):
    return q_loss(m, b) + pi_loss(m, b)


def train(steps=4, delay=2):
    m, opts, b = make()
    losses = []
    for step in range(steps):
        lq = q_loss(m, b)
        opts["q"].zero_grad()
        lq.backward()
        opts["q"].step()
        if step % delay == 0:
            for p in m.critic.parameters():
                p.requires_grad = False
            lp = pi_loss(m, b)
            opts["pi"].zero_grad()
            lp.backward()
            opts["pi"].step()
            for p in m.critic.parameters():
                p.requires_grad = True
            with torch.no_grad():
                for a, t in ((m.actor, m.actor_t), (m.critic, m.critic_t)):
                    for p, q in zip(a.parameters(), t.parameters()):
                        q.data.mul_(0.99)
                        q.data.add_(0.01 * p.data)
        losses.append(lq.item())
    return m, losses


KIND = "healthy"
EXPECT = {
    "actor.0.weight": "trained",
    "actor.0.bias": "trained",
    "actor.2.weight": "trained",
    "actor.2.bias": "trained",
    "critic.0.weight": "trained",
    "critic.0.bias": "trained",
    "critic.2.weight": "trained",
    "critic.2.bias": "trained",
    "actor_t.0.weight": "frozen",
    "actor_t.0.bias": "frozen",
    "actor_t.2.weight": "frozen",
    "actor_t.2.bias": "frozen",
    "critic_t.0.weight": "frozen",
    "critic_t.0.bias": "frozen",
    "critic_t.2.weight": "frozen",
    "critic_t.2.bias": "frozen",
}
CAUSE = "healthy"
INTENT = {'*_t.*': 'targets'}

if __name__ == "__main__":
    train()
