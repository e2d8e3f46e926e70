"""The configuration is filtered to the fields that the dataclass knows. The rate is given one level deeper, under "optimizer", so the field
keeps its default of zero.
Origin: made up after dataclass configs."""
from dataclasses import dataclass, fields

import torch
from torch import nn

RAW = {"steps": 3, "hidden": 7, "optimizer": {"lr": 0.02, "momentum": 0.9}}


@dataclass
class Config:
    steps: int = 1
    hidden: int = 4
    lr: float = 0.0  # <-- culprit
    momentum: float = 0.0

    @classmethod
    def from_dict(cls, raw):
        known = {f.name for f in fields(cls)}
        return cls(**{k: v for k, v in raw.items() if k in known})  # <-- culprit


def build(config):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, config.hidden), nn.Softplus(), nn.Linear(config.hidden, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=config.lr, momentum=config.momentum)  # <-- culprit
    return model, optimizer, (torch.randn(9, 4), torch.randn(9, 1))


def make():
    return build(Config.from_dict(RAW))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train():
    config = Config.from_dict(RAW)
    model, optimizer, batch = build(config)
    losses = []
    for _ in range(config.steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "optimizer"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "lr_zero"

if __name__ == "__main__":
    train()
