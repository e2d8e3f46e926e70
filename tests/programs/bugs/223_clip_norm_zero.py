"""max_grad_norm = 0 meant "off" in the old framework; clip_grad_norm_ takes it literally.
Origin: made up after clip_grad_norm_(…, 0) questions."""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 10), nn.ReLU(), nn.Linear(10, 1))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(8, 5), torch.randn(8, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


class Options:
    max_grad_norm = 0.0  # <-- culprit


def train(steps=3, args=Options):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), args.max_grad_norm)  # <-- culprit
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"0.weight": "blocked", "0.bias": "blocked", "2.weight": "blocked", "2.bias": "blocked"}
CAUSE = "other"

if __name__ == "__main__":
    train()
