"""Only the scheduler is stepped; PyTorch warns once about the order and goes on.
Origin: made up after discuss.pytorch.org threads on "lr_scheduler.step() before optimizer.step()"."""
import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    return model, optimizer, (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.smooth_l1_loss(model(x), y)


def train(steps=4):
    model, optimizer, batch = make()
    scheduler = CosineAnnealingLR(optimizer, T_max=10)
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        loss.backward()
        scheduler.step()  # <-- culprit
        optimizer.zero_grad()  # <-- culprit
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"0.weight": "blocked", "0.bias": "blocked", "2.weight": "blocked", "2.bias": "blocked"}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
