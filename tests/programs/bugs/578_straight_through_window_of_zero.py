"""A sign activation whose backward passes the gradient inside a window around zero. The window's half-width is an argument, and its default
is 0.
Origin: binary network reimplementation; retold."""
import torch
from torch import nn


class SignSTE(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, window):
        ctx.save_for_backward(x)
        ctx.window = window
        return x.sign()

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        inside = x.abs() < ctx.window
        return grad * inside, None  # <-- culprit


class Binary(nn.Module):
    def __init__(self, window=0):  # <-- culprit
        super().__init__()
        self.window = window

    def forward(self, x):
        return SignSTE.apply(x, self.window)


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 10), nn.BatchNorm1d(10), Binary(), nn.Linear(10, 2))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 5), torch.randint(0, 2, (12,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "forward"
EXPECT = {
    "0.weight": "blocked",
    "0.bias": "blocked",
    "1.weight": "blocked",
    "1.bias": "blocked",
    "3.weight": "trained",
    "3.bias": "trained",
}
CAUSE = "custom_function"

if __name__ == "__main__":
    train()
