"""Gradients are reset by hand (`p.grad = None`) at the wrong place: between backward and step, and for the backbone only.
Origin: made up after the performance guide's "set grad to None" advice."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU())
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        return self.head(self.backbone(x))


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.NAdam(model.parameters(), lr=1e-3), (torch.randn(9, 8), torch.randint(0, 3, (9,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        loss.backward()
        for p in model.backbone.parameters():
            p.grad = None  # <-- culprit
        optimizer.step()
        model.head.zero_grad()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"backbone.0.weight": "blocked", "backbone.0.bias": "blocked", "backbone.2.weight": "blocked", "backbone.2.bias": "blocked",
          "head.weight": "trained", "head.bias": "trained"}
CAUSE = "cleared_early"

if __name__ == "__main__":
    train()
