"""Gradients are clipped by hooks; the limit is read from the command line as int, so 0.5 became 0.
Origin: "register_hook(lambda g: clamp(g, -c, c)) and nothing learns"; retold."""
import argparse

import torch
from torch import nn


def options(argv=("--clip", "0.5")):
    parser = argparse.ArgumentParser()
    parser.add_argument("--clip", type=lambda s: int(float(s)))  # <-- culprit
    return parser.parse_args(list(argv))


class Poly(nn.Module):
    def __init__(self, n=4):
        super().__init__()
        self.a = nn.Linear(n, 6)
        self.b = nn.Linear(6, 1)

    def forward(self, x):
        return self.b(torch.sin(self.a(x)))


def make():
    torch.manual_seed(0)
    args = options()
    model = Poly()
    for p in model.a.parameters():
        p.register_hook(lambda grad: grad.clamp(-args.clip, args.clip))  # <-- culprit
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    x, y = batch
    return (model(x) - y).pow(2).mean()


def train(steps=3):
    model, optimizer, batch = make()
    history = []
    model.train()
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        history.append(float(loss))
    return model, history


KIND = "forward"
EXPECT = {
    "a.weight": "blocked",
    "a.bias": "blocked",
    "b.weight": "trained",
    "b.bias": "trained",
}
CAUSE = "hook"

if __name__ == "__main__":
    train()
