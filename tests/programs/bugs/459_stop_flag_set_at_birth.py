"""The trainer's `stopped` flag is initialised to True, so that the `while` has no round.
Origin: made up after early-stopping flags."""
import torch
from torch import nn


class Trainer:
    def __init__(self):
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)
        self.stopped = True  # <-- culprit
        self.losses = []

    def fit(self, batch, steps):
        while not self.stopped and len(self.losses) < steps:  # <-- culprit
            self.optimizer.zero_grad()
            loss = loss_fn(self.model, batch)
            loss.backward()
            self.optimizer.step()
            self.losses.append(loss.item())
        return self.losses


def build():
    return Trainer(), (torch.randn(8, 3), torch.randn(8, 1))


def make():
    trainer, batch = build()
    return trainer.model, trainer.optimizer, batch


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=3):
    trainer, batch = build()
    return trainer.model, trainer.fit(batch, steps)


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "no_backward"

if __name__ == "__main__":
    train()
