"""OneCycleLR with cycled momentum, per batch, run to its end. Origin: torch documentation."""
import torch
from torch import nn
import torch.nn.functional as F


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 1))
    return model, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9), (torch.randn(8, 5), torch.randn(8, 1))


def loss_fn(model, batch):
    return F.mse_loss(model(batch[0]), batch[1])


def train(steps=6):
    model, optimizer, batch = make()
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.05, total_steps=steps, div_factor=1e6)
    losses = []
    for step in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        if step < steps - 1:
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
