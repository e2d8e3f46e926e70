"""The weight of a custom layer is read through a property that was written for plotting, and detaches.
Origin: made up after a property/attribute mix-up; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class Circulant(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.first_row = nn.Parameter(torch.randn(n) / n**0.5)
        self.bias = nn.Parameter(torch.zeros(n))

    @property
    def weight(self):
        rows = [self.first_row.roll(i) for i in range(len(self.first_row))]
        return torch.stack(rows).detach()  # <-- culprit

    def forward(self, x):
        return F.linear(x, self.weight, self.bias)


def make():
    torch.manual_seed(0)
    model = nn.Sequential(Circulant(6), nn.ReLU(), nn.Linear(6, 2))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(8, 6), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    history = []
    model.train()
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        history.append(float(loss))
    return model, history


KIND = "forward"
EXPECT = {
    "0.first_row": "unreachable",
    "0.bias": "trained",
    "2.weight": "trained",
    "2.bias": "trained",
}
CAUSE = "detached"

if __name__ == "__main__":
    train()
