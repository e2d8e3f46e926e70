"""A radial basis layer whose log width is a Parameter. math.exp accepts the one-element tensor without a word, and returns a
Python float.
Origin: math.exp / np.exp instead of torch.exp threads; retold."""
import math

import torch
from torch import nn


class RBFLayer(nn.Module):
    def __init__(self, d, centers):
        super().__init__()
        self.centers = nn.Parameter(torch.randn(centers, d))
        self.log_width = nn.Parameter(torch.zeros(()))

    @property
    def width(self):
        return math.exp(self.log_width)  # <-- culprit

    def forward(self, x):
        dist = torch.cdist(x, self.centers)
        return torch.exp(-dist.square() / (2 * self.width ** 2))


class RBFNet(nn.Sequential):
    def __init__(self, d=2, centers=7):
        super().__init__(RBFLayer(d, centers), nn.Linear(centers, 1))


def make():
    torch.manual_seed(0)
    model = RBFNet()
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=2)
    x = torch.rand(25, 2) * 2 - 1
    return model, optimizer, (x, (x[:, :1] * 3).sin() * x[:, 1:])


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.mse_loss(model(x), y)


def train(steps=3):
    model, optimizer, batch = make()

    def closure():
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        return loss

    losses = []
    for _ in range(steps):
        losses.append(float(optimizer.step(closure)))
    return model, losses


KIND = "forward"
EXPECT = {
    "0.centers": "trained",
    "0.log_width": "unreachable",
    "1.weight": "trained",
    "1.bias": "trained",
}
CAUSE = "to_python"

if __name__ == "__main__":
    train()
