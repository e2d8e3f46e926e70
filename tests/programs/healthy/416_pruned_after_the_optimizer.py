"""Healthy: torch's pruning is applied after the optimizer was built, and made permanent halfway. The parameter object stays the same
all along. NEEDS_LOOP"""
import torch
from torch import nn
from torch.nn.utils import prune


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(9, 6), torch.randint(0, 2, (9,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=6):
    model, optimizer, batch = make()
    prune.l1_unstructured(model[0], "weight", amount=0.3)
    prune.random_unstructured(model[2], "weight", amount=0.2)
    losses = []
    for step in range(steps):
        if step == 4:
            for layer in (model[0], model[2]):
                prune.remove(layer, "weight")
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {"0.bias": "trained", "2.bias": "trained"}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
