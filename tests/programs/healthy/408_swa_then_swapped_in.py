"""Healthy: an averaged model is updated each epoch and its batch norm statistics recomputed; at the end the average is loaded into
the model. NEEDS_LOOP"""
import torch
from torch import nn
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn


def build():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return model, optimizer, (torch.randn(8, 5), torch.randint(0, 3, (8,))), AveragedModel(model)


def make():
    return build()[:3]


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=4):
    model, optimizer, batch, averaged = build()
    scheduler = SWALR(optimizer, swa_lr=0.05, anneal_epochs=2)
    losses = []
    for epoch in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        if epoch >= 2:
            averaged.update_parameters(model)
            scheduler.step()
        losses.append(loss.item())
    update_bn([batch], averaged)
    model.load_state_dict(averaged.module.state_dict())
    return model, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("0.weight", "1.weight", "1.bias", "3.weight", "3.bias")}
CAUSE = "healthy"
INTENT = {"averaged.*": "average", "*module.*": "average"}

if __name__ == "__main__":
    train()
