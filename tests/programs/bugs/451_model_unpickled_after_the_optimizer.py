"""The model is saved and loaded back as a whole object after the optimizer was built; training goes on with the loaded one.
Origin: made up after torch.save(model) / torch.load questions."""
import io
import pickle

import torch
from torch import nn


def snapshot(model):
    buffer = io.BytesIO()
    pickle.dump(model, buffer)
    buffer.seek(0)
    return pickle.load(buffer)  # <-- culprit


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 5), nn.Mish(), nn.Linear(5, 2))
    optimizer = torch.optim.Adamax(model.parameters(), lr=1e-2)  # <-- culprit
    model = snapshot(model)  # <-- culprit
    return model, optimizer, (torch.randn(8, 3), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        model.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "optimizer"
EXPECT = {n: "excluded" for n in ("0.weight", "0.bias", "2.weight", "2.bias")} | {"!0.weight": "stale"}
CAUSE = "stale_reference"

if __name__ == "__main__":
    train()
