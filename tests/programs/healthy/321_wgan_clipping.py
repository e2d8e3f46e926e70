"""WGAN: five critic steps per generator step, weights clipped after each. Origin: WGAN."""
import torch
from torch import nn
import torch.nn.functional as F


class W(nn.Module):
    def __init__(self):
        super().__init__()
        self.gen = nn.Linear(3, 2)
        self.critic = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))


def make():
    torch.manual_seed(0)
    m = W()
    return m, [torch.optim.RMSprop(m.gen.parameters(), lr=5e-4), torch.optim.RMSprop(m.critic.parameters(), lr=5e-4)], (torch.randn(16, 2) + 2, torch.randn(16, 3))


def critic_loss(m, b):
    with torch.no_grad():
        fake = m.gen(b[1])
    return m.critic(fake).mean() - m.critic(b[0]).mean()


def gen_loss(m, b):
    return -m.critic(m.gen(b[1])).mean()


def loss_fn(m, b):
    return critic_loss(m, b) + gen_loss(m, b)


def train(steps=2, n_critic=5, c=0.3):
    m, (og, oc), b = make()
    losses = []
    for _ in range(steps):
        for _ in range(n_critic):
            oc.zero_grad()
            lc = critic_loss(m, b)
            lc.backward()
            oc.step()
            for p in m.critic.parameters():
                p.data.clamp_(-c, c)
        og.zero_grad()
        lg = gen_loss(m, b)
        lg.backward()
        og.step()
        losses.append(lg.item())
    return m, losses


KIND = "healthy"
EXPECT = {
    "gen.weight": "trained",
    "gen.bias": "trained",
    "critic.0.weight": "trained",
    "critic.0.bias": "trained",
    "critic.2.weight": "trained",
    "critic.2.bias": "blocked",
}
CAUSE = "healthy"
INTENT = {'critic.2.bias': 'cancels in the difference of means'}

if __name__ == "__main__":
    train()
