"""zero_grad, forward, step, backward: each step sees the cleared gradients.
Origin: made up after order-of-calls questions."""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(4 * 16, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, nesterov=True, momentum=0.9)
    return model, optimizer, (torch.randn(5, 1, 6, 6), torch.randint(0, 2, (5,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()  # <-- culprit
        loss = loss_fn(model, batch)
        optimizer.step()  # <-- culprit
        loss.backward()  # <-- culprit
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"0.weight": "blocked", "0.bias": "blocked", "2.weight": "blocked", "2.bias": "blocked"}
CAUSE = "cleared_early"

if __name__ == "__main__":
    train()
