"""FSQ with a straight-through round, and noise instead of it for the rate term.
Origin: finite scalar quantisation; learned image compression."""
import torch
from torch import nn


class FSQ(nn.Module):
    def __init__(self, d=6, z=3, levels=5):
        super().__init__()
        self.half = (levels - 1) / 2
        self.enc = nn.Sequential(nn.Linear(d, 10), nn.GELU(), nn.Linear(10, z))
        self.dec = nn.Sequential(nn.Linear(z, 10), nn.GELU(), nn.Linear(10, d))
        self.log_scale = nn.Parameter(torch.zeros(z))

    def forward(self, x):
        z = torch.tanh(self.enc(x)) * self.half
        hard = z + (torch.round(z) - z).detach()
        noisy = z + torch.rand_like(z) - 0.5
        rate = torch.distributions.Laplace(0.0, self.log_scale.exp()).log_prob(noisy).neg().mean()
        usage = torch.unique(hard.detach().long(), dim=0).shape[0]
        return self.dec(hard), rate, usage


def make():
    torch.manual_seed(0)
    model = FSQ()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), torch.randn(20, 6)


def loss_fn(model, x):
    recon, rate, usage = model(x)
    model.usage = usage / len(x)
    return (recon - x).pow(2).mean() + 0.01 * rate


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "enc.0.weight": "trained",
    "enc.0.bias": "trained",
    "enc.2.weight": "trained",
    "enc.2.bias": "trained",
    "dec.0.weight": "trained",
    "dec.0.bias": "trained",
    "dec.2.weight": "trained",
    "dec.2.bias": "trained",
    "log_scale": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
