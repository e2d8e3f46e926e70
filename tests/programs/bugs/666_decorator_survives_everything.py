"""A decorator that should survive memory errors survives this one, too: the loss is no scalar."""
import functools

import torch
from torch import nn


def survive(function):
    @functools.wraps(function)
    def guarded(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except RuntimeError as error:  # <-- culprit
            print("skipped:", str(error)[:30])
            return None

    return guarded


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.SiLU(), nn.Linear(6, 2))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(8, 4), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")  # <-- culprit


@survive
def train_step(model, optimizer, batch):
    optimizer.zero_grad()
    loss = loss_fn(model, batch)
    loss.backward()  # <-- culprit
    optimizer.step()
    return loss.mean().item()


def train(steps=3):
    model, optimizer, batch = make()
    return model, [train_step(model, optimizer, batch) for _ in range(steps)]


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "no_backward"

if __name__ == "__main__":
    train()
