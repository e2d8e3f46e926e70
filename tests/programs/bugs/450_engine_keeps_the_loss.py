"""An engine in the manner of DeepSpeed, of which only the outside was written: `engine.backward(loss)` keeps the loss, and that is all.
Origin: made up after training wrappers."""
import torch
from torch import nn


class Engine:
    def __init__(self, model, lr):
        self.module = model
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
        self.loss = None

    def __call__(self, x):
        return self.module(x)

    def backward(self, loss):
        self.loss = loss  # <-- culprit

    def step(self):
        self.optimizer.step()
        self.optimizer.zero_grad()


def build():
    torch.manual_seed(0)
    engine = Engine(nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)), 1e-3)
    return engine, (torch.randn(8, 4), torch.randint(0, 3, (8,)))


def make():
    engine, batch = build()
    return engine.module, engine.optimizer, batch


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    engine, batch = build()
    losses = []
    for _ in range(steps):
        loss = loss_fn(engine, batch)  # <-- culprit
        engine.backward(loss)  # <-- culprit
        engine.step()
        losses.append(loss.item())
    return engine.module, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "no_backward"

if __name__ == "__main__":
    train()
