"""Validation freezes the model "to save memory" and runs once before training, as a sanity check. Nobody unfreezes it.
Origin: made up after Lightning's sanity check and "does not require grad" questions."""
import torch
from torch import nn


def validate(model, batch):
    model.eval()
    for p in model.parameters():
        p.requires_grad_(False)  # <-- culprit
    value = loss_fn(model, batch).item()
    model.train()
    return value


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    print(f"before training {validate(model, batch):.3f}")  # <-- culprit
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
RAISES = "RuntimeError"
EXPECT = {n: "frozen" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "frozen"

if __name__ == "__main__":
    train()
