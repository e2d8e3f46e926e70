"""A Gaussian head gives its variance through a ReLU; where it is 0 the likelihood is infinite. The gradient scaler skips each step in silence.
Origin: "GradScaler keeps lowering the scale"; retold."""
import math

import torch
from torch import nn


class Gaussian(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.mean, self.variance = nn.Linear(4, 8), nn.Linear(8, 1), nn.Linear(8, 1)

    def forward(self, x):
        h = torch.tanh(self.body(x))
        return self.mean(h), torch.relu(self.variance(h))  # <-- culprit


def make():
    torch.manual_seed(0)
    model = Gaussian()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(32, 4), torch.randn(32, 1))


def loss_fn(model, batch):
    mean, variance = model(batch[0])
    return 0.5 * (torch.log(variance) + (batch[1] - mean) ** 2 / variance + math.log(2 * math.pi)).mean()  # <-- culprit


def train(steps=6):
    model, optimizer, batch = make()
    scaler = torch.amp.GradScaler("cpu", init_scale=256.0)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {f"{m}.{n}": "blocked" for m in ("body", "mean", "variance") for n in ("weight", "bias")}
CAUSE = "nan_skip"

if __name__ == "__main__":
    train()
