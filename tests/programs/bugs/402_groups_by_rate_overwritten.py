"""Parameters are collected by learning rate in a dict; `groups[rate] = [p]` instead of `setdefault(rate, []).append(p)`.
Origin: made up after layer-wise learning rate recipes."""
import torch
from torch import nn


class Regressor(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(6, 8)
        self.block = nn.Linear(8, 8)
        self.head = nn.Linear(8, 1)

    def forward(self, x):
        return self.head(torch.relu(self.block(torch.relu(self.stem(x)))))


def rate_of(name, base):
    return base if name.startswith("head") else base / 10


def layerwise_groups(model, base):
    by_rate = {}
    for name, p in model.named_parameters():
        by_rate[rate_of(name, base)] = [p]  # <-- culprit
    return [{"params": members, "lr": rate} for rate, members in by_rate.items()]


def make():
    torch.manual_seed(0)
    model = Regressor()
    return model, torch.optim.SGD(layerwise_groups(model, 0.1), lr=0.1), (torch.randn(12, 6), torch.randn(12, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


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


KIND = "optimizer"
EXPECT = {"stem.weight": "excluded", "stem.bias": "excluded", "block.weight": "excluded", "block.bias": "trained",
          "head.weight": "excluded", "head.bias": "trained"}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
