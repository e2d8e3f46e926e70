"""A table of warm-up rates from `linspace(0, lr, n)` is indexed by the epoch. Fine-tuning runs a single epoch, with the first entry.
Origin: made up after hand-made warm-up tables and `--epochs 1`."""
import argparse

import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 9), nn.SiLU(), nn.Linear(9, 3))
    return model, torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9), (torch.randn(16, 6), torch.randint(0, 3, (16,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def set_rate(optimizer, rate):
    for group in optimizer.param_groups:
        group["lr"] = rate


def train(argv=()):
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--warmup-epochs", type=int, default=3)
    parser.add_argument("--lr", type=float, default=0.05)
    args = parser.parse_args(list(argv))
    model, optimizer, batch = make()
    warmup = torch.linspace(0.0, args.lr, args.warmup_epochs).tolist()  # <-- culprit
    losses = []
    for epoch in range(args.epochs):
        rate = warmup[epoch] if epoch < args.warmup_epochs else args.lr  # <-- culprit
        set_rate(optimizer, rate)  # <-- culprit
        for _ in range(4):
            loss = loss_fn(model, batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "lr_zero"

if __name__ == "__main__":
    train()
