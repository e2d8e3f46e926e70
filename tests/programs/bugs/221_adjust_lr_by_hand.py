"""The ImageNet example's adjust_learning_rate, with the exponent's base mistyped: 0 ** (epoch // 30 + 1).
Origin: made up after pytorch/examples imagenet main.py."""
import torch
from torch import nn


def adjust_learning_rate(optimizer, epoch, base=0.1, gamma=0.0):  # <-- culprit
    lr = base * (gamma ** (epoch // 30 + 1))  # <-- culprit
    for group in optimizer.param_groups:
        group["lr"] = lr  # <-- culprit


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 3))
    return model, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9), (torch.randn(6, 1, 6, 6), torch.randint(0, 3, (6,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for epoch in range(steps):
        adjust_learning_rate(optimizer, epoch)
        loss = loss_fn(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "1.weight", "1.bias", "4.weight", "4.bias")}
CAUSE = "lr_zero"

if __name__ == "__main__":
    train()
