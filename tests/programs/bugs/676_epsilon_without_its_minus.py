"""`eps=1e8` for Adam: a minus is missing, and every update is a hundred-millionth of what it should be, which rounding swallows.
Origin: made up after typed constants."""
import argparse

import torch
from torch import nn


def options(argv=()):
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--adam-eps", type=float, default=1e8)  # <-- culprit
    return parser.parse_args(list(argv))


def make():
    torch.manual_seed(0)
    args = options()
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.sign(p) * 0.05)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr, eps=args.adam_eps)  # <-- culprit
    return model, optimizer, (torch.randn(12, 6), torch.randint(0, 3, (12,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "other"

if __name__ == "__main__":
    train()
