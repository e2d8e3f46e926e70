"""A base class of the project hands out what `adapters` holds, and this model registers everything itself."""
import torch
from torch import nn


class Adapted(nn.Module):
    adapters = ()

    def parameters(self, recurse=True):  # <-- culprit
        for name in self.adapters:  # <-- culprit
            yield from getattr(self, name).parameters()


class Net(Adapted):
    adapters = ("head",)

    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(4, 6), nn.Linear(6, 1)

    def forward(self, x):
        return self.head(torch.tanh(self.body(x)))


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


KIND = "forward"
EXPECT = {"body.weight": "excluded", "body.bias": "excluded", "head.weight": "trained", "head.bias": "trained"}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
