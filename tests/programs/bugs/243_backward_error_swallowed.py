"""A weight is clamped in place between forward and backward; the RuntimeError is swallowed by the handler for
out-of-memory batches.
Origin: made up after fairseq-like OOM handlers."""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 8), nn.Softplus(), nn.Linear(8, 8), nn.Softplus(), nn.Linear(8, 1))
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(7, 5), torch.randn(7, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def bound(model, limit=3.0):
    with torch.no_grad():
        model[4].weight.clamp_(-limit, limit)  # <-- culprit


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        bound(model)  # <-- culprit
        losses.append(loss.item())
        try:
            loss.backward()  # <-- culprit
        except RuntimeError as e:  # <-- culprit
            print("out of memory, skipping batch")
            continue
        optimizer.step()
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias")}
CAUSE = "no_backward"

if __name__ == "__main__":
    train()
