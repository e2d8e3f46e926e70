"""Healthy: gradual pruning with `torch.nn.utils.prune`, a little more every third step, and made permanent at the end."""
import torch
from torch import nn
from torch.nn.utils import prune


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 10), nn.ReLU(), nn.Linear(10, 2))
    for layer in (model[0], model[2]):
        prune.identity(layer, "weight")
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 6), torch.randint(0, 2, (12,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=9):
    model, optimizer, batch = make()
    losses = []
    for step in range(steps):
        if step % 3 == 2:
            prune.global_unstructured([(model[0], "weight"), (model[2], "weight")], prune.L1Unstructured, amount=0.2)
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    for layer in (model[0], model[2]):
        prune.remove(layer, "weight")
    return model, losses


KIND = "healthy"
EXPECT = {"0.bias": "trained", "2.bias": "trained"}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
