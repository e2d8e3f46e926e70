"""The trainer calls `on_losses`, the callback has `on_loss`: its term, and its head, never come in."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.body, self.out, self.pace = nn.Linear(d, d), nn.Linear(d, 3), nn.Linear(d, 1)

    def forward(self, x):
        h = torch.tanh(self.body(x))
        return self.out(h), h


class Pace:
    def on_loss(self, model, h, losses):  # <-- culprit
        losses["pace"] = model.pace(h).square().mean()


def tell(callbacks, hook, *given):
    for callback in callbacks:
        method = getattr(callback, hook, None)
        if method is not None:
            method(*given)


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 6), torch.randint(0, 3, (12,)))


def loss_fn(model, batch):
    x, y = batch
    out, h = model(x)
    losses = {"label": nn.functional.cross_entropy(out, y)}
    tell([Pace()], "on_losses", model, h, losses)
    return sum(losses.values())


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


KIND = "loop"
EXPECT = {
    **{f"{part}.{n}": "trained" for part in ("body", "out") for n in ("weight", "bias")},
    **{f"{part}.{n}": "unreachable" for part in ("pace",) for n in ("weight", "bias")},
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
