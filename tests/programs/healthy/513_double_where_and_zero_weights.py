"""A safe square root by two wheres, a penalty whose weight is 0 in this configuration, and weights tied by a transpose.
Origin: the usual idioms."""
import torch
from torch import nn
import torch.nn.functional as F

CONFIG = {"l1": 0.0, "decorrelate": 0.1}


class TiedAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Linear(6, 3)
        self.out_bias = nn.Parameter(torch.zeros(6)).to("cpu")

    def forward(self, x):
        z = torch.tanh(self.enc(x))
        return F.linear(z, self.enc.weight.t(), self.out_bias), z


def safe_distance(z):
    d2 = (z[:, None] - z[None]).pow(2).sum(-1)
    positive = d2 > 0
    return torch.where(positive, torch.sqrt(torch.where(positive, d2, torch.ones_like(d2))), 0.0)


def make():
    torch.manual_seed(0)
    model = TiedAE()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), torch.randn(12, 6)


def loss_fn(model, x):
    recon, z = model(x)
    spread = safe_distance(z).mean()
    return F.mse_loss(recon, x) + CONFIG["l1"] * z.abs().mean() - CONFIG["decorrelate"] * spread


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
    "enc.weight": "trained",
    "enc.bias": "trained",
    "out_bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
