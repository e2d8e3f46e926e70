"""Stochastic weight averaging: the optimizer is built after AveragedModel and gets the average's parameters instead of the model's.
Origin: made up after torch.optim.swa_utils tutorials."""
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel


def build():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3))
    swa_model = AveragedModel(model)
    optimizer = torch.optim.SGD(swa_model.parameters(), lr=0.1)  # <-- culprit
    return model, swa_model, optimizer, (torch.randn(8, 5), torch.randint(0, 3, (8,)))


def make():
    model, _, optimizer, batch = build()
    return model, optimizer, batch


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, swa_model, optimizer, batch = build()
    losses = []
    for epoch in range(steps):
        model.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        if epoch >= 1:
            swa_model.update_parameters(model)
        losses.append(loss.item())
    return model, losses


KIND = "optimizer"
EXPECT = {n: "excluded" for n in ("0.weight", "0.bias", "2.weight", "2.bias")} | {"!module.0.weight": "stale"}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
