"""Healthy: when the validation loss has not improved for two epochs the best state comes back and the rate is divided by ten; the best state at the
end."""
import copy

import torch
from torch import nn


class Plateau:
    def __init__(self, patience=2):
        self.patience, self.best, self.bad, self.state = patience, float("inf"), 0, None

    def update(self, value, model, optimizer):
        if value < self.best:
            self.best, self.bad = value, 0
            self.state = copy.deepcopy(model.state_dict())
            return
        self.bad += 1
        if self.bad >= self.patience:
            self.bad = 0
            model.load_state_dict(self.state)
            for group in optimizer.param_groups:
                group["lr"] /= 10


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
    return model, torch.optim.SGD(model.parameters(), lr=1.2), (torch.randn(16, 4), torch.randn(16, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(epochs=20):
    model, optimizer, (x, y) = make()
    plateau, losses = Plateau(), []
    for _ in range(epochs):
        for part in torch.randperm(12).chunk(2):
            optimizer.zero_grad()
            loss = loss_fn(model, (x[part], y[part]))
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            losses.append(loss_fn(model, (x[12:], y[12:])).item())
        plateau.update(losses[-1], model, optimizer)
    model.load_state_dict(plateau.state)
    return model, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
