"""A distance is the root of a sum of squares, and one of the pairs is a point and itself: the root's derivative at 0 is
infinite, and NaN after that. The loss is finite, so the first backward spoils everything that the optimizer holds."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(5, 4)
        self.bias = nn.Linear(5, 1)

    def forward(self, x):
        z = self.embed(x)
        squares = (z.unsqueeze(0) - z.unsqueeze(1)).square().sum(-1)
        distance = squares.sqrt()  # <-- culprit
        return distance.mean() + self.bias(x).square().mean()


def make():
    torch.manual_seed(0)
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    return model, optimizer, torch.randn(6, 5)


def loss_fn(model, batch):
    return model(batch)


def train(steps=4):
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
EXPECT = {"embed.weight": "blocked", "embed.bias": "blocked"}
CAUSE = "nan_skip"

if __name__ == "__main__":
    train()
