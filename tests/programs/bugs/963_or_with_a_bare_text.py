"""`"norm" or "stem" in name` is true of every name."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.stem, self.norm, self.head = nn.Linear(6, d), nn.LayerNorm(d), nn.Linear(d, 3)

    def forward(self, x):
        return self.head(torch.tanh(self.norm(self.stem(x))))


def make():
    torch.manual_seed(0)
    model = Net()

    for name, p in model.named_parameters():
        if "norm" or "stem" in name:  # <-- culprit
            p.requires_grad = False
    model.head.requires_grad_(True)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    return model, optimizer, (torch.randn(12, 6), torch.randint(0, 3, (12,)))


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


KIND = "optimizer"
EXPECT = {
    **{f"{part}.{n}": "frozen" for part in ("stem", "norm") for n in ("weight", "bias")},
    **{f"{part}.{n}": "trained" for part in ("head",) for n in ("weight", "bias")},
}
CAUSE = "frozen"

if __name__ == "__main__":
    train()
