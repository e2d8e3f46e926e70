"""Gradient accumulation with a last, smaller group. Origin: common recipe."""
import torch
from torch import nn
import torch.nn.functional as F


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 2))
    return model, torch.optim.AdamW(model.parameters(), lr=1e-2), [(torch.randn(4, 5), torch.randint(0, 2, (4,))) for _ in range(5)]


def loss_fn(model, batch):
    return sum(F.cross_entropy(model(x), y) for x, y in batch) / len(batch)


def train(epochs=2, every=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(epochs):
        optimizer.zero_grad()
        for i, (x, y) in enumerate(batch):
            loss = F.cross_entropy(model(x), y)
            (loss / every).backward()
            losses.append(loss.item())
            if (i + 1) % every == 0 or i + 1 == len(batch):
                optimizer.step()
                optimizer.zero_grad()
    return model, losses


KIND = "healthy"
EXPECT = {
    "0.weight": "trained",
    "0.bias": "trained",
    "2.weight": "trained",
    "2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
