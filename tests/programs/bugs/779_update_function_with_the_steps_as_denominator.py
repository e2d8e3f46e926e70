"""An update by hand whose annealed rate reaches its end at once: 1 - number of steps / number of steps."""
import torch
from torch import nn


class Annealed:
    def __init__(self, base, total):
        self.base, self.total, self.rate = base, total, base

    def advance(self, number):
        self.rate = self.base * (1 - self.total / self.total)  # <-- culprit

    @torch.no_grad()
    def update(self, params):
        for p in params:
            p.data.add_(p.grad, alpha=-self.rate)


annealed = Annealed(0.1, 10)


def update(params, number):
    annealed.advance(number)
    annealed.update(params)


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
    return model, None, (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    return (model(batch[0]) - batch[1]).square().mean()


def train(steps=4):
    model, _, batch = make()
    losses = []
    for number in range(steps):
        model.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        update(model.parameters(), number)
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "excluded" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "other"

if __name__ == "__main__":
    train()
