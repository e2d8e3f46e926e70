"""Weights are replaced by their moving average after each step. The average is computed into a local name, so that the shadow stays
what it was at first.
Origin: made up after EMA snippets."""
import torch
from torch import nn


class EMA:
    def __init__(self, model, decay=0.9):
        self.decay = decay
        self.shadow = [p.detach().clone() for p in model.parameters()]

    def update(self, model):
        for s, p in zip(self.shadow, model.parameters()):
            s = self.decay * s + (1 - self.decay) * p.detach()  # <-- culprit

    def apply_to(self, model):
        for s, p in zip(self.shadow, model.parameters()):
            p.data = s.clone()  # <-- culprit


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(12, 4), torch.randn(12, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    ema = EMA(model)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        ema.update(model)
        ema.apply_to(model)  # <-- culprit
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "replaced" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "overwritten"

if __name__ == "__main__":
    train()
