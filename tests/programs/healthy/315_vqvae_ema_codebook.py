"""VQ-VAE with straight-through and a codebook buffer moved by EMA; plus a learned codebook for a second level. Origin: VQ-VAE code."""
import torch
from torch import nn
import torch.nn.functional as F


class Quantise(nn.Module):
    def __init__(self, k=5, d=3):
        super().__init__()
        self.codes = nn.Embedding(k, d)

    def forward(self, z):
        index = torch.cdist(z, self.codes.weight).argmin(1)
        q = self.codes(index)
        loss = F.mse_loss(q, z.detach()) + 0.25 * F.mse_loss(z, q.detach())
        return z + (q - z).detach(), loss


class VQ(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc, self.dec, self.vq = nn.Linear(6, 3), nn.Linear(3, 6), Quantise()
        self.register_buffer("ema", torch.randn(5, 3))

    def forward(self, x):
        z = self.enc(x)
        with torch.no_grad():
            near = torch.cdist(z, self.ema).argmin(1)
            self.ema.index_add_(0, near, 0.01 * (z - self.ema[near]))
        q, aux = self.vq(z)
        return F.mse_loss(self.dec(q), x) + aux


def make():
    torch.manual_seed(0)
    model = VQ()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), torch.randn(16, 6)


def loss_fn(model, x):
    return model(x)


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
    "dec.weight": "trained",
    "dec.bias": "trained",
    "vq.codes.weight": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
