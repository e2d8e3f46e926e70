"""Warm-up from rate 0 advanced once an epoch: the whole first epoch (60 batches) runs at rate 0. Origin: epoch-wise schedulers."""
import torch
from torch import nn
import torch.nn.functional as F


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, b):
    return F.mse_loss(model(b[0]), b[1])


def train(epochs=2, batches=60):
    model, optimizer, batch = make()
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda e: min(1.0, e / 2))
    losses = []
    for _ in range(epochs):
        for _ in range(batches):
            optimizer.zero_grad()
            loss = loss_fn(model, batch)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        schedule.step()
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
