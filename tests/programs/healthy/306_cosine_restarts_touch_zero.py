"""Warm restarts whose rate passes exactly 0 at the end of every cycle. Origin: SGDR."""
import torch
from torch import nn
import torch.nn.functional as F


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 8), nn.GELU(), nn.Linear(8, 2))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(8, 5), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


def train(steps=8):
    model, optimizer, batch = make()
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "0.weight": "trained",
    "0.bias": "trained",
    "2.weight": "trained",
    "2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
