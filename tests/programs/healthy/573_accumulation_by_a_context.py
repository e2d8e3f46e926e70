"""Healthy: a context manager counts micro-batches, and a wrapped optimizer steps at every fourth and at the end of the data."""
import contextlib

import torch
from torch import nn


class Accumulator:
    def __init__(self, every, length):
        self.every, self.length, self.count = every, length, 0

    @contextlib.contextmanager
    def micro_batch(self):
        self.count += 1
        self.is_last = self.count % self.every == 0 or self.count % self.length == 0
        yield self


class AccumulatingOptimizer:
    def __init__(self, optimizer, accumulator):
        self.optimizer, self.accumulator = optimizer, accumulator

    def __getattr__(self, name):
        return getattr(self.optimizer, name)

    def step(self):
        if self.accumulator.is_last:
            self.optimizer.step()

    def zero_grad(self):
        if self.accumulator.is_last:
            self.optimizer.zero_grad()


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(22, 4), torch.randint(0, 2, (22,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(epochs=2):
    model, plain, (x, y) = make()
    parts = torch.arange(len(x)).split(2)
    accumulator = Accumulator(4, len(parts))
    optimizer = AccumulatingOptimizer(plain, accumulator)
    losses = []
    for _ in range(epochs):
        for part in parts:
            with accumulator.micro_batch():
                loss = loss_fn(model, (x[part], y[part])) / accumulator.every
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()
            losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
