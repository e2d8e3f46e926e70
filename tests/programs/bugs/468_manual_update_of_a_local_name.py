"""Gradient descent without an optimizer: `p = p - lr * p.grad` gives the loop variable a new value, and the parameter none.
Origin: made up after "manually update weights" questions."""
import torch
from torch import nn


class Line(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.zeros(()))
        self.b = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        return self.a * x + self.b


def make():
    torch.manual_seed(0)
    x = torch.linspace(0, 1, 10)
    return Line(), [], (x, 3 * x + 1)


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=4, lr=0.5):
    model, _, batch = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        model.zero_grad()
        loss.backward()
        with torch.no_grad():
            for p in model.parameters():
                p = p - lr * p.grad  # <-- culprit
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"a": "excluded", "b": "excluded"}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
