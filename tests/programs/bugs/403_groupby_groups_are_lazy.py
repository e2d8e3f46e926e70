"""itertools.groupby by the top-level name; its groups are read only after it has gone on, when they are empty.
PyTorch takes groups without parameters silently.
Origin: made up after the itertools documentation's warning, and "optimizer does nothing" threads."""
import itertools

import torch
from torch import nn


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(5, 8), nn.ReLU())
        self.proj = nn.Linear(8, 4)

    def forward(self, a, b):
        return nn.functional.cosine_similarity(self.proj(self.trunk(a)), self.proj(self.trunk(b)))


def make():
    torch.manual_seed(0)
    model = Siamese()
    named = itertools.groupby(model.named_parameters(), key=lambda item: item[0].split(".")[0])
    parts = list(named)  # <-- culprit
    rates = {"trunk": 0.01, "proj": 0.1}
    optimizer = torch.optim.SGD([{"params": [p for _, p in members], "lr": rates[top]} for top, members in parts], lr=0.1)  # <-- culprit
    return model, optimizer, (torch.randn(7, 5), torch.randn(7, 5), torch.randint(0, 2, (7,)) * 2.0 - 1)


def loss_fn(model, batch):
    a, b, y = batch
    return (model(a, b) - y).square().mean()


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
EXPECT = {n: "excluded" for n in ("trunk.0.weight", "trunk.0.bias", "proj.weight", "proj.bias")}
CAUSE = "empty_group"

if __name__ == "__main__":
    train()
