"""Triplet loss with the positive passed twice: the two distances cancel, the loss is the margin and every gradient is zero.
Origin: made up after metric learning questions."""
import torch
from torch import nn


class Embedder(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4))

    def forward(self, x):
        return self.layers(x)


def make():
    torch.manual_seed(0)
    model = Embedder()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), tuple(torch.randn(7, 6) for _ in range(3))


def loss_fn(model, batch):
    anchor, positive, negative = (model(x) for x in batch)
    near = (anchor - positive).square().sum(1)
    far = (anchor - positive).square().sum(1)  # <-- culprit
    return torch.relu(near - far + 0.5).mean()  # <-- culprit


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


KIND = "loss"
EXPECT = {f"layers.{n}": "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
