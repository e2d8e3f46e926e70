"""A decorator lets numpy functions be written for tensors: it converts on the way in and on the way out. One of them stands between the
two halves of the network.
Origin: "how to use scipy/numpy functions inside forward" answers; retold."""
import functools

import numpy as np
import torch
from torch import nn


def numpy_function(fn):
    @functools.wraps(fn)
    def wrapper(*tensors):
        arrays = [t.detach().cpu().numpy() for t in tensors]  # <-- culprit
        return torch.as_tensor(fn(*arrays))  # <-- culprit

    return wrapper


@numpy_function
def smooth(x):
    kernel = np.array([0.25, 0.5, 0.25], dtype=x.dtype)
    return np.stack([np.convolve(row, kernel, mode="same") for row in x])


class Denoiser(nn.Module):
    def __init__(self, n=10):
        super().__init__()
        self.before, self.after = nn.Linear(n, n), nn.Linear(n, n)

    def forward(self, x):
        return self.after(smooth(torch.tanh(self.before(x))))


def make():
    torch.manual_seed(0)
    model = Denoiser()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(7, 10), torch.randn(7, 10))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.mse_loss(model(x), y)


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
    "before.weight": "unreachable",
    "before.bias": "unreachable",
    "after.weight": "trained",
    "after.bias": "trained",
}
CAUSE = "to_python"

if __name__ == "__main__":
    train()
