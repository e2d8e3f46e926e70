"""The loss is cut off, and a guard passes the backward over in silence."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.body, self.out = nn.Linear(d, d), nn.Linear(d, 1)

    def forward(self, x):
        return self.out(torch.tanh(self.body(x)))


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), torch.randn(12, 6)


def loss_fn(model, batch):
    scores = model(batch).detach()  # <-- culprit
    return scores.square().mean()


def train(steps=6):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        if loss.requires_grad:
            loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loss"
EXPECT = {f"{part}.{n}": "unreachable" for part in ("body", "out") for n in ("weight", "bias")}
CAUSE = "detached"

if __name__ == "__main__":
    train()
