"""Weights are multiplied by a fixed pruning mask and standardised in forward, functionally; a whole layer's dead filters stay dead, the
Parameter trains.
Origin: movement pruning; weight standardisation."""
import torch
from torch import nn
import torch.nn.functional as F


class PrunedConv(nn.Conv1d):
    def __init__(self, *a, keep=0.5, **k):
        super().__init__(*a, **k)
        self.register_buffer("mask", (torch.rand_like(self.weight) < keep).float())

    def forward(self, x):
        w = self.weight * self.mask
        w = (w - w.mean((1, 2), keepdim=True)) / (w.std((1, 2), keepdim=True) + 1e-3)
        return F.conv1d(x, w, self.bias, padding=self.padding)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.fc = PrunedConv(2, 6, 3, padding=1), PrunedConv(6, 6, 3, padding=1), nn.Linear(6, 2)

    def forward(self, x):
        return self.fc(F.relu(self.b(F.relu(self.a(x)))).amax(-1))


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(8, 2, 9), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


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
    "a.weight": "trained",
    "a.bias": "trained",
    "b.weight": "trained",
    "b.bias": "trained",
    "fc.weight": "trained",
    "fc.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
