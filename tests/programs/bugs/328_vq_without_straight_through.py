"""A first VQ-VAE: nearest codebook entry by argmin, looked up, decoded; the straight-through line and the commitment term of
the paper were left for later. The encoder gets nothing.
Origin: "VQ-VAE encoder gradients are None" issues; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class VectorQuantizer(nn.Module):
    def __init__(self, entries, d):
        super().__init__()
        self.codebook = nn.Embedding(entries, d)

    def forward(self, z):
        dist = torch.cdist(z, self.codebook.weight)
        codes = dist.argmin(dim=-1)  # <-- culprit
        return self.codebook(codes), codes


class VQVAE(nn.Module):
    def __init__(self, d_in=10, d=4, entries=6):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(d_in, 12), nn.ReLU(), nn.Linear(12, d))
        self.vq = VectorQuantizer(entries, d)
        self.decoder = nn.Sequential(nn.Linear(d, 12), nn.ReLU(), nn.Linear(12, d_in))

    def forward(self, x):
        quantized, codes = self.vq(self.encoder(x))
        return self.decoder(quantized), codes


def make():
    torch.manual_seed(0)
    model = VQVAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return model, optimizer, torch.randn(24, 10)


def loss_fn(model, x):
    recon, codes = model(x)
    return F.mse_loss(recon, x)


def train(steps=3):
    model, optimizer, x = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "forward"
EXPECT = {
    "encoder.0.weight": "unreachable",
    "encoder.0.bias": "unreachable",
    "encoder.2.weight": "unreachable",
    "encoder.2.bias": "unreachable",
    "vq.codebook.weight": "trained",
    "decoder.0.weight": "trained",
    "decoder.0.bias": "trained",
    "decoder.2.weight": "trained",
    "decoder.2.bias": "trained",
}
CAUSE = "non_differentiable"

if __name__ == "__main__":
    train()
