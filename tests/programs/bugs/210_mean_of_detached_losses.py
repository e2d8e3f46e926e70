"""Losses of the items are collected detached (to save memory), averaged, and given requires_grad so that backward does not
complain.
Origin: made up after "element 0 of tensors does not require grad" answers recommending requires_grad_()."""
import torch
from torch import nn


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 8)
        self.b = nn.Linear(8, 4)

    def forward(self, x):
        return self.b(torch.relu(self.a(x)))


def make():
    torch.manual_seed(0)
    model = Encoder()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), [torch.randn(5, 4) for _ in range(3)]


def loss_fn(model, batch):
    parts = []
    for x in batch:
        parts.append(nn.functional.mse_loss(model(x), x).detach())  # <-- culprit
    return torch.stack(parts).mean().requires_grad_()  # <-- culprit


def train(steps=3):
    model, optimizer, batch = make()
    out = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        out.append(loss.item())
    return model, out


KIND = "loss"
EXPECT = {"a.weight": "unreachable", "a.bias": "unreachable", "b.weight": "unreachable", "b.bias": "unreachable"}
CAUSE = "detached"

if __name__ == "__main__":
    train()
