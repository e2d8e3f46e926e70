"""The model's own `named_parameters` takes a prefix off the names, and hands on everything."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 6), nn.Tanh())
        self.head = nn.Linear(6, 1)

    def forward(self, x):
        return self.head(self.body(x))

    def named_parameters(self, *args, **kwargs):
        for name, parameter in super().named_parameters(*args, **kwargs):
            yield name.replace("body.", "trunk."), parameter


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    return (model(batch[0]) - batch[1]).square().mean()


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for number in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("trunk.0.weight", "trunk.0.bias", "head.weight", "head.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
