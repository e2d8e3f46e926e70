"""Healthy: bootstrapped heads on one trunk; a random mask decides which heads see a batch, now and then none or only one. NEEDS_LOOP"""
import torch
from torch import nn


class Bootstrapped(nn.Module):
    def __init__(self, heads=4):
        super().__init__()
        self.trunk = nn.Linear(4, 8)
        self.heads = nn.ModuleList(nn.Linear(8, 1) for _ in range(heads))

    def forward(self, x):
        h = torch.relu(self.trunk(x))
        return torch.cat([head(h) for head in self.heads], 1)


def make():
    torch.manual_seed(0)
    model = Bootstrapped()
    return model, torch.optim.SGD(model.parameters(), lr=0.05), (torch.randn(10, 4), torch.randn(10, 1))


def loss_fn(model, batch):
    x, y = batch
    mask = (torch.rand(4) < 0.4).float()
    return ((model(x) - y).square().mean(0) * mask).sum() / mask.sum().clamp(min=1)


def train(steps=14):
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
EXPECT = {"trunk.weight": "trained", "trunk.bias": "trained"} | {f"heads.{i}.{n}": "trained" for i in range(4) for n in ("weight", "bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
