"""A closure for each of three models, made in a comprehension: all of them see the last value of `i`.
Origin: made up after Python's late-binding closures FAQ."""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    models = nn.ModuleList(nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1)) for _ in range(3))
    optimizers = [torch.optim.SGD(m.parameters(), lr=0.1) for m in models]
    return models, optimizers, (torch.randn(3, 10, 2), torch.randn(3, 10, 1))


def one_loss(models, batch, i):
    return nn.functional.mse_loss(models[i](batch[0][i]), batch[1][i])


def loss_fn(models, batch):
    return sum(one_loss(models, batch, i) for i in range(3))


def train(steps=3):
    models, optimizers, batch = make()
    losses_of = [lambda: one_loss(models, batch, i) for i in range(3)]  # <-- culprit
    losses = []
    for _ in range(steps):
        for closure, optimizer in zip(losses_of, optimizers):
            optimizer.zero_grad()
            loss = closure()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return models, losses


KIND = "loop"
EXPECT = {f"{i}.{n}": "trained" if i == 2 else "unreachable" for i in range(3) for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "unused"

if __name__ == "__main__":
    train()
