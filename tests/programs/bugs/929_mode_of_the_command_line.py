"""The loop steps where the mode is `fit`; the option's default is `train`."""

import argparse

import torch
from torch import nn


def parse(arguments=()):
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", default="train", help="fit, or only look at the loss")
    parser.add_argument("--lr", type=float, default=0.05)
    return parser.parse_args(list(arguments))


def make(options=None):
    options = options or parse()
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
    return model, torch.optim.SGD(model.parameters(), lr=options.lr), (torch.randn(10, 4), torch.randn(10, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=5):
    options = parse()
    model, optimizer, batch = make(options)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        if options.mode == "fit":  # <-- culprit
            optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {f"{i}.{n}": "blocked" for i in (0, 2) for n in ("weight", "bias")}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
