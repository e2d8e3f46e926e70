"""Healthy: each fold makes its model, optimizer and schedule anew; only the last fold's are still there at the end. NEEDS_LOOP"""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(4, 5)
        self.out = nn.Linear(5, 1)

    def forward(self, x):
        return self.out(torch.relu(self.hidden(x)))


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 4), torch.randn(12, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=2, folds=4):
    losses = []
    for fold in range(folds):
        model, optimizer, (x, y) = make()
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        keep = torch.arange(12) % folds != fold
        for _ in range(steps):
            optimizer.zero_grad()
            loss = loss_fn(model, (x[keep], y[keep]))
            loss.backward()
            optimizer.step()
            scheduler.step()
        with torch.no_grad():
            losses.append(loss_fn(model, (x[~keep], y[~keep])).item())
    return model, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("hidden.weight", "hidden.bias", "out.weight", "out.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
