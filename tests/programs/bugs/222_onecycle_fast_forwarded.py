"""Resuming: the OneCycle schedule is fast-forwarded by steps, although it was made with the number of *epochs* - it stands
at its end, where the rate is 0.
Origin: made up after OneCycleLR total_steps questions."""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 6), nn.PReLU(), nn.Linear(6, 1))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(8, 6), torch.randn(8, 1))


def loss_fn(model, batch):
    return nn.functional.huber_loss(model(batch[0]), batch[1])


def train(steps=3, epochs=10, done=9):
    model, optimizer, batch = make()
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=epochs, final_div_factor=float("inf"))  # <-- culprit
    for _ in range(done):
        optimizer.zero_grad()
        schedule.step()  # <-- culprit
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"0.weight": "blocked", "0.bias": "blocked", "1.weight": "blocked", "2.weight": "blocked", "2.bias": "blocked"}
CAUSE = "lr_zero"

if __name__ == "__main__":
    train()
