"""Stochastic weight averaging with SWALR, batch statistics recomputed at the end. Origin: torch documentation."""
import torch
from torch import nn
import torch.nn.functional as F


from torch.optim.swa_utils import SWALR, AveragedModel, update_bn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))
    return model, torch.optim.SGD(model.parameters(), lr=1e-2), (torch.randn(10, 4), torch.randn(10, 1))


def loss_fn(model, batch):
    return F.mse_loss(model(batch[0]), batch[1])


def train(steps=5):
    model, optimizer, batch = make()
    averaged, schedule = AveragedModel(model), SWALR(optimizer, swa_lr=0.05, anneal_epochs=2)
    losses = []
    for epoch in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        if epoch >= 2:
            averaged.update_parameters(model)
            schedule.step()
        losses.append(loss.item())
    update_bn([batch[0]], averaged)
    return model, losses


KIND = "healthy"
EXPECT = {
    "0.weight": "trained",
    "1.weight": "trained",
    "1.bias": "trained",
    "3.weight": "trained",
    "3.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
