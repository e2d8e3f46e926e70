"""The straight-through line of a VQ-VAE with its two sides exchanged: the codes get the gradient, and the encoder is inside the detach.
Origin: VQ-VAE reimplementations; retold."""
import torch
from torch import nn


class VQ(nn.Module):
    def __init__(self, d_in=8, d=3, codes=5):
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(d_in, 8), nn.ReLU(), nn.Linear(8, d))
        self.codebook = nn.Parameter(torch.randn(codes, d))
        self.decode = nn.Linear(d, d_in)

    def forward(self, x):
        z = self.encode(x)
        index = torch.cdist(z, self.codebook).argmin(1)
        q = self.codebook[index]
        q = q + (z - q).detach()  # <-- culprit
        return self.decode(q)


def make():
    torch.manual_seed(0)
    model = VQ()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), torch.randn(14, 8)


def loss_fn(model, x):
    return (model(x) - x).square().mean()


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


KIND = "forward"
EXPECT = {
    "encode.0.weight": "unreachable",
    "encode.0.bias": "unreachable",
    "encode.2.weight": "unreachable",
    "encode.2.bias": "unreachable",
    "codebook": "trained",
    "decode.weight": "trained",
    "decode.bias": "trained",
}
CAUSE = "detached"

if __name__ == "__main__":
    train()
