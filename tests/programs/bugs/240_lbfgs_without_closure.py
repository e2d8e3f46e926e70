"""The optimizer was exchanged for LBFGS, the loop was not: step() gets no closure.
Origin: made up after "step() missing 1 required positional argument: 'closure'" questions."""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    return model, torch.optim.LBFGS(model.parameters(), lr=0.1), (torch.randn(8, 3), torch.randn(8, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()  # <-- culprit
        losses.append(loss.item())
    return model, losses


RAISES = "TypeError"
KIND = "loop"
EXPECT = {"0.weight": "blocked", "0.bias": "blocked", "2.weight": "blocked", "2.bias": "blocked"}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
