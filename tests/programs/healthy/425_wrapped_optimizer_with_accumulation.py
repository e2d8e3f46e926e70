"""Healthy: a wrapper, no subclass, around AdamW: it accumulates over three micro-batches, clips, steps, schedules, and passes all else
on. The last, incomplete group of batches is flushed. NEEDS_LOOP"""
import torch
from torch import nn


class Accumulating:
    def __init__(self, optimizer, every, clip):
        self._inner, self.every, self.clip, self._seen = optimizer, every, clip, 0

    def __getattr__(self, name):
        return getattr(self._inner, name)

    def backward(self, loss):
        (loss / self.every).backward()
        self._seen += 1

    def step(self, flush=False):
        if self._seen % self.every and not flush:
            return False
        for group in self._inner.param_groups:
            nn.utils.clip_grad_norm_(group["params"], self.clip)
        self._inner.step()
        self._inner.zero_grad()
        return True


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 8), nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 3))
    return model, torch.optim.AdamW(model.parameters(), lr=1e-2), (torch.randn(10, 5), torch.randint(0, 3, (10,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=11):
    model, inner, (x, y) = make()
    optimizer = Accumulating(inner, 3, 1.0)
    losses = []
    for i in range(steps):
        loss = loss_fn(model, (x[i % 5 :], y[i % 5 :]))
        optimizer.backward(loss)
        optimizer.step(flush=i == steps - 1)
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {f"{i}.{n}": "trained" for i in (0, 1, 3) for n in ("weight", "bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
