"""The subclass overrides `compute_loss`, and has a method of nearly that name beside it, for later."""

import torch
from torch import nn


class Trainer:
    def __init__(self, model, optimizer):
        self.model, self.optimizer = model, optimizer
        self.losses = []

    def compute_loss(self, x, y):
        raise NotImplementedError

    def fit(self, batch, steps):
        for _ in range(steps):
            self.optimizer.zero_grad()
            loss = self.compute_loss(*batch)
            loss.backward()
            self.optimizer.step()
            self.losses.append(loss.item())


class Own(Trainer):
    def compute_loss(self, x, y):
        return nn.functional.mse_loss(self.model(x), y)

    def compute_losses(self, batches):
        return [self.compute_loss(*batch) for batch in batches]


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    return Own(model, None).compute_loss(*batch)


def train(steps=4):
    model, optimizer, batch = make()
    trainer = Own(model, optimizer)
    trainer.fit(batch, steps)
    return model, trainer.losses


KIND = "healthy"
EXPECT = {f"{i}.{n}": "trained" for i in (0, 2) for n in ("weight", "bias")}

if __name__ == "__main__":
    train()
