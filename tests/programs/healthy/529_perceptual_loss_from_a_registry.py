"""A frozen feature network lives in a module-level cache and is used in the loss; a colour constant is a class attribute; an accumulator leaf is
made for the sum of the terms.
Origin: perceptual losses in super-resolution code."""
from functools import lru_cache

import torch
from torch import nn
import torch.nn.functional as F


@lru_cache(maxsize=None)
def features():
    net = nn.Sequential(nn.Conv1d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv1d(4, 4, 3, padding=1))
    return net.requires_grad_(False).eval()


class Upscaler(nn.Module):
    mean = torch.tensor(0.4)

    def __init__(self, c=4):
        super().__init__()
        self.a, self.b = nn.Conv1d(1, c, 3, padding=1), nn.Conv1d(c, 2, 3, padding=1)

    def forward(self, x):
        h = self.b(F.relu(self.a(x - self.mean)))
        return h.transpose(1, 2).flatten(1).unsqueeze(1) + self.mean


def make():
    torch.manual_seed(0)
    model = Upscaler()
    fine = torch.rand(5, 1, 16)
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (F.avg_pool1d(fine, 2), fine)


def loss_fn(model, batch):
    coarse, fine = batch
    out = model(coarse)
    total = torch.zeros(1, requires_grad=True)
    total = total + F.l1_loss(out, fine)
    with torch.no_grad():
        wanted = features()(fine)
    return (total + 0.1 * F.mse_loss(features()(out), wanted)).squeeze()


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
    "a.weight": "trained",
    "a.bias": "trained",
    "b.weight": "trained",
    "b.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
