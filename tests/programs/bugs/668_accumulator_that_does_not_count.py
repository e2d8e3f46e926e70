"""A wrapper lets the optimizer step at every fourth micro-batch. The micro-batches are counted by nobody.
Origin: made up after accelerate-like accumulation wrappers."""
import contextlib

import torch
from torch import nn


class Accumulator:
    def __init__(self, every):
        self.every, self.count = every, 0  # <-- culprit

    @contextlib.contextmanager
    def micro_batch(self):  # <-- culprit
        yield self

    @property
    def is_last(self):
        return self.count % self.every == self.every - 1  # <-- culprit


class AccumulatingOptimizer:
    def __init__(self, optimizer, accumulator):
        self.optimizer, self.accumulator = optimizer, accumulator

    def step(self):
        if self.accumulator.is_last:  # <-- culprit
            self.optimizer.step()

    def zero_grad(self):
        if self.accumulator.is_last:
            self.optimizer.zero_grad()


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(8, 4), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=12):
    model, plain, batch = make()
    accumulator = Accumulator(4)
    optimizer = AccumulatingOptimizer(plain, accumulator)
    losses = []
    for _ in range(steps):
        with accumulator.micro_batch():
            loss = loss_fn(model, batch) / accumulator.every
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
