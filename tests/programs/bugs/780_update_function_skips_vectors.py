"""An update by hand that passes over all but matrices."""
import torch
from torch import nn


def update(params, rate=0.1):
    with torch.no_grad():
        for p in params:
            if p.dim() < 3:  # <-- culprit
                continue  # <-- culprit
            p -= rate * p.grad


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
    return model, None, (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    return (model(batch[0]) - batch[1]).square().mean()


def train(steps=4):
    model, _, batch = make()
    losses = []
    for number in range(steps):
        model.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        update(model.parameters())
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "excluded" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "other"

if __name__ == "__main__":
    train()
