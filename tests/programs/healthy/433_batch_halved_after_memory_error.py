"""Healthy: the first attempts run out of memory (so it is said), the batch is halved and the step tried again. NEEDS_LOOP"""
import torch
from torch import nn


class OutOfMemory(RuntimeError):
    pass


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 2))
    return model, torch.optim.AdamW(model.parameters(), lr=1e-2), (torch.randn(32, 5), torch.randint(0, 2, (32,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def attempt(model, optimizer, batch, size):
    optimizer.zero_grad()
    loss = loss_fn(model, (batch[0][:size], batch[1][:size]))
    loss.backward()
    if size > 8:
        raise OutOfMemory(f"no memory for {size}")
    optimizer.step()
    return loss.item()


def train(steps=4):
    model, optimizer, batch = make()
    losses, size = [], 32
    while len(losses) < steps:
        try:
            losses.append(attempt(model, optimizer, batch, size))
        except OutOfMemory as error:
            print(error)
            size //= 2
    return model, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
