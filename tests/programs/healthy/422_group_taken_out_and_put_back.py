"""Healthy: the body's group is taken out of the optimizer for the first rounds and put back later; its state and rate survive.
NEEDS_LOOP"""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.ModuleDict({"body": nn.Linear(5, 6), "head": nn.Linear(6, 2)})
    optimizer = torch.optim.SGD([
        {"params": model["body"].parameters(), "lr": 0.01},
        {"params": model["head"].parameters()},
    ], lr=0.1, momentum=0.9)
    return model, optimizer, (torch.randn(8, 5), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model["head"](torch.relu(model["body"](batch[0]))), batch[1])


def train(steps=7):
    model, optimizer, batch = make()
    resting = optimizer.param_groups.pop(0)
    losses = []
    for step in range(steps):
        if step == 4:
            optimizer.param_groups.insert(0, resting)
        model.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {"body.weight": "trained", "body.bias": "trained", "head.weight": "trained", "head.bias": "trained"}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
