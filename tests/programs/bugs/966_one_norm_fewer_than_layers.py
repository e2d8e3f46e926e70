"""`zip` ends with the shorter list: the last layer is never called."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, d=6, depth=3):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(d, d) for _ in range(depth)])
        self.norms = nn.ModuleList([nn.LayerNorm(d) for _ in range(depth - 1)])  # <-- culprit
        self.out = nn.Linear(d, 3)

    def forward(self, x):
        for layer, norm in zip(self.layers, self.norms):
            x = torch.tanh(norm(layer(x)))
        return self.out(x)


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
    **{
        f"{part}.{n}": "trained"
        for part in ("layers.0", "layers.1", "norms.0", "norms.1", "out")
        for n in ("weight", "bias")
    },
    **{f"{part}.{n}": "unreachable" for part in ("layers.2",) for n in ("weight", "bias")},
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
