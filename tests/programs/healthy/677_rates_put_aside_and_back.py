"""The rates are put aside as copies of the groups, set low for the first two steps, and put back.
Origin: burn-in code; retold."""

import torch
from torch import nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(4, 5), nn.Linear(5, 2)

    def forward(self, x):
        return self.head(torch.tanh(self.body(x)))


def make():
    torch.manual_seed(0)
    model = Net()
    optimizer = torch.optim.SGD(
        [{"params": model.body.parameters(), "lr": 0.01}, {"params": model.head.parameters()}], lr=0.1
    )
    return model, optimizer, (torch.randn(8, 4), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    x, y = batch
    return F.cross_entropy(model(x), y)


def train(steps=6):
    model, optimizer, batch = make()
    kept = [dict(group) for group in optimizer.param_groups]
    for group in optimizer.param_groups:
        group["lr"] *= 0.1
    losses = []
    for step in range(steps):
        if step == 2:
            for group, old in zip(optimizer.param_groups, kept):
                group.update(lr=old["lr"])
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {f"{part}.{n}": "trained" for part in ("body", "head") for n in ("weight", "bias")}

if __name__ == "__main__":
    train()
