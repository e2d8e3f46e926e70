"""The settings are texts, and `bool` of the text 0 is true."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.stem, self.norm, self.head = nn.Linear(6, d), nn.LayerNorm(d), nn.Linear(d, 3)

    def forward(self, x):
        return self.head(torch.tanh(self.norm(self.stem(x))))


TEXTS = {"freeze_stem": "0", "width": "6"}


class Settings:
    def __init__(self, texts):
        self.freeze_stem = bool(texts["freeze_stem"])  # <-- culprit
        self.width = int(texts["width"])


def make():
    torch.manual_seed(0)
    settings = Settings(TEXTS)
    model = Net(settings.width)
    if settings.freeze_stem:
        model.stem.requires_grad_(False)
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
    **{f"{part}.{n}": "frozen" for part in ("stem",) for n in ("weight", "bias")},
    **{f"{part}.{n}": "trained" for part in ("norm", "head") for n in ("weight", "bias")},
}
CAUSE = "frozen"

if __name__ == "__main__":
    train()
