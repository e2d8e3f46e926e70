"""Three terms of the loss are computed; the total adds two."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.encode, self.decode = nn.Linear(d, 4), nn.Linear(4, d)
        self.label, self.domain = nn.Linear(4, 3), nn.Linear(4, 2)

    def forward(self, x):
        code = torch.tanh(self.encode(x))
        return self.decode(code), self.label(code), self.domain(code)


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 6), torch.randint(0, 2, (12,)))


def loss_fn(model, batch):
    x, y = batch
    again, label, domain = model(x)
    reconstruction = nn.functional.mse_loss(again, x)
    classes = nn.functional.cross_entropy(label, y)
    domains = nn.functional.cross_entropy(domain, y)
    total = reconstruction + 0.5 * classes  # <-- culprit
    return total


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
    **{f"{part}.{n}": "trained" for part in ("encode", "decode", "label") for n in ("weight", "bias")},
    **{f"{part}.{n}": "unreachable" for part in ("domain",) for n in ("weight", "bias")},
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
