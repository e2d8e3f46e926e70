"""A guard against NaN losses with the test the wrong way round: every finite batch is skipped.
Origin: made up after NaN-guards in training scripts."""
import torch
from torch import nn


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3)
        self.fc = nn.Linear(3, 2)

    def forward(self, x):
        return self.fc(self.conv(x).relu().mean((2, 3)))


def make():
    torch.manual_seed(0)
    model = Head()
    optimizer = torch.optim.Adagrad(model.parameters(), lr=1e-2)
    return model, optimizer, (torch.randn(6, 1, 7, 7), torch.randint(0, 2, (6,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y, label_smoothing=0.1)


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        losses.append(loss.item())
        loss.backward()
        if torch.isfinite(loss).all():  # <-- culprit
            continue
        optimizer.step()
    return model, losses


KIND = "loop"
EXPECT = {"conv.weight": "blocked", "conv.bias": "blocked", "fc.weight": "blocked", "fc.bias": "blocked"}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
