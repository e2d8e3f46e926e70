"""When the validation loss does not improve the best state is restored. `best` starts at minus infinity though lower is better, so
the very first state comes back after each epoch.
Origin: made up after early-stopping helpers with mode='min' and 'max'."""
import copy

import torch
from torch import nn


class BestKeeper:
    def __init__(self, model):
        self.best = -float("inf")  # <-- culprit
        self.state = copy.deepcopy(model.state_dict())

    def update(self, model, validation_loss):
        if validation_loss < self.best:  # <-- culprit
            self.best = validation_loss
            self.state = copy.deepcopy(model.state_dict())
        else:
            model.load_state_dict(self.state)  # <-- culprit


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 1))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(20, 4), torch.randn(20, 1))


def loss_fn(model, batch):
    return nn.functional.l1_loss(model(batch[0]), batch[1])


def train(steps=4):
    model, optimizer, batch = make()
    keeper = BestKeeper(model)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            keeper.update(model, loss_fn(model, batch).item())
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "replaced" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "overwritten"

if __name__ == "__main__":
    train()
