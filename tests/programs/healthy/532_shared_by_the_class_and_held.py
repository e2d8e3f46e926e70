"""A layer shared by the class is given to the optimizer by hand; a learnt scale was left in a buffer and is given, too. Untidy, and it trains.
Origin: made up, a look-alike of unregistered layers."""
import torch
from torch import nn


class Tower(nn.Module):
    project = nn.Linear(6, 3)

    def __init__(self, n):
        super().__init__()
        self.body = nn.Linear(n, 6)
        self.register_buffer("scale", torch.ones(3, requires_grad=True))

    def forward(self, x):
        return self.project(torch.relu(self.body(x))) * self.scale


def make():
    torch.manual_seed(0)
    model = Tower(4)
    everything = [*model.parameters(), *Tower.project.parameters(), model.scale]
    return model, torch.optim.SGD(everything, lr=0.1), (torch.randn(8, 4), torch.randn(8, 3))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


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


KIND = "healthy"
EXPECT = {
    "body.weight": "trained",
    "body.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
