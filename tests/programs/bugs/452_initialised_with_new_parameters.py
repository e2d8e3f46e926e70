"""`model.apply(init)` comes after the optimizer, and `init` assigns new Parameters instead of filling the old ones.
Origin: made up after custom initialisation questions."""
import torch
from torch import nn


def init(module):
    if isinstance(module, nn.Linear):
        module.weight = nn.Parameter(torch.randn_like(module.weight) * 0.3)  # <-- culprit


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(5, 7)
        self.outer = nn.Linear(7, 2)

    def forward(self, x):
        return self.outer(torch.tanh(self.inner(x)))


def make():
    torch.manual_seed(0)
    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    model.apply(init)  # <-- culprit
    return model, optimizer, (torch.randn(8, 5), torch.randint(0, 2, (8,)))


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


KIND = "optimizer"
EXPECT = {"inner.weight": "excluded", "inner.bias": "trained", "outer.weight": "excluded", "outer.bias": "trained",
          "!inner.weight": "stale", "!outer.weight": "stale"}
CAUSE = "stale_reference"

if __name__ == "__main__":
    train()
