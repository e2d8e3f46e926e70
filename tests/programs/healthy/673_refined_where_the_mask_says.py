"""What a mask of the batch chooses is refined by a second net; `torch.where` and a factor leave the rest alone. The first batch has
nothing to refine.
Origin: inpainting and two-stage refinement; retold."""

import torch
from torch import nn
import torch.nn.functional as F


class Refiner(nn.Module):
    def __init__(self, d=4):
        super().__init__()
        self.first, self.second, self.third = nn.Linear(d, d), nn.Linear(d, d), nn.Linear(d, d)
        self.out = nn.Linear(d, 1)

    def forward(self, x, hole, noisy):
        h = torch.tanh(self.first(x))
        h = torch.where(hole[:, None], self.second(h), h)
        return self.out(h + noisy[:, None] * self.third(x)).squeeze(1)


def make():
    torch.manual_seed(0)
    model = Refiner()
    batch = (torch.randn(8, 4), torch.zeros(8, dtype=torch.bool), torch.zeros(8), torch.randn(8))
    return model, torch.optim.SGD(model.parameters(), lr=0.05), batch


def loss_fn(model, batch):
    x, hole, noisy, y = batch
    return F.mse_loss(model(x, hole, noisy), y)


def train(steps=5):
    model, optimizer, (x, hole, noisy, y) = make()
    losses = []
    for step in range(steps):
        at = torch.arange(8) < step
        optimizer.zero_grad()
        loss = loss_fn(model, (x, hole | at, noisy + at.float(), y))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {f"{part}.{n}": "trained" for part in ("first", "second", "third", "out") for n in ("weight", "bias")}

if __name__ == "__main__":
    train()
