"""Three summaries of a reading are made alike; the sum that goes on has two of them."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.slow = nn.Linear(6, 8)
        self.fast = nn.Linear(6, 8)
        self.trend = nn.Linear(6, 8)
        self.out = nn.Linear(8, 3)

    def forward(self, x):
        slow = self.slow(x)
        fast = self.fast(x)
        trend = self.trend(x)
        mixed = torch.tanh(slow + fast)  # <-- culprit
        return self.out(mixed)


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 6), torch.randint(0, 3, (12,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


def train(steps=5):
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
    **{f"{part}.{n}": "trained" for part in ("slow", "fast", "out") for n in ("weight", "bias")},
    **{f"{part}.{n}": "unreachable" for part in ("trend",) for n in ("weight", "bias")},
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
