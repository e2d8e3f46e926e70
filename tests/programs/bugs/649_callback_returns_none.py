"""Callbacks may veto a step by returning False. One that only logs returns nothing at all, and None counts as a veto.
Origin: made up after trainer classes with hooks."""
import torch
from torch import nn


class Callback:
    def before_step(self, trainer):
        return True


class GradientNorms(Callback):
    def __init__(self):
        self.norms = []

    def before_step(self, trainer):  # <-- culprit
        norm = sum(p.grad.norm() ** 2 for p in trainer.model.parameters() if p.grad is not None) ** 0.5
        self.norms.append(float(norm))  # <-- culprit


class Trainer:
    def __init__(self, model, optimizer, callbacks):
        self.model, self.optimizer, self.callbacks = model, optimizer, callbacks

    def fit(self, batch, steps):
        losses = []
        for _ in range(steps):
            self.optimizer.zero_grad()
            loss = loss_fn(self.model, batch)
            loss.backward()
            if all(callback.before_step(self) for callback in self.callbacks):  # <-- culprit
                self.optimizer.step()
            losses.append(loss.item())
        return losses


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv1d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(8, 2, 6), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    trainer = Trainer(model, optimizer, [Callback(), GradientNorms()])
    return model, trainer.fit(batch, steps)


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "3.weight", "3.bias")}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
