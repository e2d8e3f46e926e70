"""Settings that raise on unknown names, a class that compares with nothing, streams that are closed, tensors that are swapped."""

import io
import weakref

import torch
from torch import nn


class Strict:
    """Settings of which only what is there may be asked."""

    def __init__(self, **given):
        self.__dict__["given"] = given
        self.__dict__["asked"] = []

    def __getattr__(self, name):
        self.asked.append(name)
        return self.given[name]

    def __eq__(self, other):
        raise TypeError("settings are not compared")

    __hash__ = None

    def __bool__(self):
        raise TypeError("settings are neither true nor false")


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=4):
    model, optimizer, batch = make()
    settings, out = Strict(rate=0.1, every=2), io.TextIOWrapper(io.BytesIO())
    log, losses = out, []
    out.detach()
    for step in range(steps):
        current = settings
        for group in optimizer.param_groups:
            group["lr"] = current.rate
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if step % current.every == 0:
            weight, other = torch.zeros(2), torch.ones(2)
            torch.utils.swap_tensors(weight, other)
            assert weight.sum() == 2
        watched = weakref.ref(current)
    assert settings.asked == ["rate", "every"] * steps and watched() is settings and log is out
    return model, losses


KIND = "healthy"
EXPECT = {f"{i}.{n}": "trained" for i in (0, 2) for n in ("weight", "bias")}

if __name__ == "__main__":
    train()
