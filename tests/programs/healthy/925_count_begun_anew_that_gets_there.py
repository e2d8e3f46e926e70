"""The count of batches begins anew in each epoch, and gets to the number that is asked for."""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Linear(4, 1)
    return model, torch.optim.SGD(model.parameters(), lr=0.1), torch.randn(2, 4)


def loss_fn(model, batch):
    return model(batch).square().mean()


def train(epochs=3, accumulate=2):
    model, optimizer, batch = make()
    losses = []
    for _ in range(epochs):
        seen = 0
        for _ in range(5):
            loss = loss_fn(model, batch)
            (loss / accumulate).backward()
            losses.append(loss.item())
            seen += 1
            if seen % accumulate == 0:
                optimizer.step()
                optimizer.zero_grad()
    return model, losses


KIND = "healthy"
EXPECT = {"weight": "trained", "bias": "trained"}

if __name__ == "__main__":
    train()
