"""Validation comes before training in each epoch. With a patience of 0 the stopper says stop even after an improvement.
Origin: early-stopping helpers with `>=`; retold."""
import torch
from torch import nn


class EarlyStopping:
    def __init__(self, patience=0, delta=0.0):
        self.patience, self.delta = patience, delta
        self.best, self.bad = float("inf"), 0

    def should_stop(self, value):
        if value < self.best - self.delta:
            self.best, self.bad = value, 0
        else:
            self.bad += 1
        return self.bad >= self.patience  # <-- culprit


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 4), torch.randn(12, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


@torch.no_grad()
def validate(model, batch):
    return loss_fn(model, batch).item()


def train(epochs=4):
    model, optimizer, batch = make()
    stopper = EarlyStopping()  # <-- culprit
    losses = []
    for epoch in range(epochs):
        score = validate(model, batch)
        if stopper.should_stop(score):  # <-- culprit
            print(f"stopped early at epoch {epoch}")
            break
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "no_backward"

if __name__ == "__main__":
    train()
