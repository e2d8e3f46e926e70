"""Gradients of the critic are clamped by hand with an integer bound: int(0.5).
Origin: made up after hand-written clipping loops (`p.grad.data.clamp_(-1, 1)` of the DQN tutorial)."""
import torch
from torch import nn


class AC(nn.Module):
    def __init__(self):
        super().__init__()
        self.pi = nn.Linear(4, 2)
        self.v = nn.Linear(4, 1)


def make():
    torch.manual_seed(0)
    model = AC()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(9, 4), torch.randint(0, 2, (9,)), torch.randn(9, 1))


def loss_fn(model, batch):
    s, a, r = batch
    return nn.functional.cross_entropy(model.pi(s), a) + nn.functional.mse_loss(model.v(s), r)


def train(steps=3, bound="0.5"):
    model, optimizer, batch = make()
    bound = int(float(bound))  # <-- culprit
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        for p in model.v.parameters():
            p.grad.data.clamp_(-bound, bound)  # <-- culprit
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"pi.weight": "trained", "pi.bias": "trained", "v.weight": "blocked", "v.bias": "blocked"}
CAUSE = "other"

if __name__ == "__main__":
    train()
