"""The model's own `requires_grad_` was written to freeze, and ignores what it is asked for."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 6), nn.Tanh())
        self.head = nn.Linear(6, 1)

    def forward(self, x):
        return self.head(self.body(x))

    def requires_grad_(self, requires_grad=True):  # <-- culprit
        for parameter in self.body.parameters():
            parameter.requires_grad = False  # <-- culprit
        return self


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.SGD(model.requires_grad_(True).parameters(), lr=0.1), (torch.randn(8, 4), torch.randn(8, 1))


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
EXPECT = {"body.0.weight": "frozen", "body.0.bias": "frozen", "head.weight": "trained", "head.bias": "trained"}
CAUSE = "frozen"

if __name__ == "__main__":
    train()
