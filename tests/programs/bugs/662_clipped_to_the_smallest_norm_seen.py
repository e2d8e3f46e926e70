"""Adaptive clipping to the smallest gradient norm of the history, which begins with a zero so that it is never empty.
Origin: AutoClip variants; retold."""
import torch
from torch import nn


class AutoClip:
    def __init__(self):
        self.history = [0.0]  # <-- culprit

    def __call__(self, parameters):
        parameters = list(parameters)
        norm = torch.stack([p.grad.norm() for p in parameters]).norm().item()
        nn.utils.clip_grad_norm_(parameters, min(self.history))  # <-- culprit
        self.history.append(norm)


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.CELU(), nn.Linear(8, 1))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(12, 6), torch.randn(12, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=5):
    model, optimizer, batch = make()
    clip, losses = AutoClip(), []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        clip(model.parameters())
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "other"

if __name__ == "__main__":
    train()
