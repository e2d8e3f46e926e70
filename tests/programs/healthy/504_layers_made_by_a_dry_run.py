"""Sizes are learnt from a dry run under no_grad in __init__, before the optimizer exists; outputs are written into a preallocated tensor.
Origin: the usual way to size the first linear layer."""
import torch
from torch import nn


class ConvRegressor(nn.Module):
    def __init__(self, shape, targets=3):
        super().__init__()
        self.targets = targets
        self.conv = nn.Conv1d(shape[0], 4, 3, stride=2)
        with torch.no_grad():
            width = self.conv(torch.zeros(1, *shape)).numel()
        self.heads = nn.ModuleList(nn.Linear(width, 1) for _ in range(targets))

    def forward(self, x):
        h = torch.relu(self.conv(x)).flatten(1)
        out = torch.empty(len(x), self.targets)
        for i, head in enumerate(self.heads):
            out[:, i] = head(h)[:, 0]
        return out


def make():
    torch.manual_seed(0)
    model = ConvRegressor((2, 9))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(7, 2, 9), torch.randn(7, 3))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.l1_loss(model(x), y)


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
    "conv.weight": "trained",
    "conv.bias": "trained",
    "heads.0.weight": "trained",
    "heads.0.bias": "trained",
    "heads.1.weight": "trained",
    "heads.1.bias": "trained",
    "heads.2.weight": "trained",
    "heads.2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
