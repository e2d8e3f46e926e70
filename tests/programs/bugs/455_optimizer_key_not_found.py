"""Optimizers are looked up by a name that is put together; `dict.get` finds nothing for one network and the `if` skips it quietly.
Origin: made up after config-driven GAN trainers."""
import torch
from torch import nn


class Trainer:
    def __init__(self):
        torch.manual_seed(0)
        self.nets = nn.ModuleDict({"enc": nn.Linear(6, 3), "dec": nn.Linear(3, 6)})
        self.optimizers = {
            "opt_encoder": torch.optim.Adam(self.nets["enc"].parameters(), lr=1e-2),  # <-- culprit
            "opt_dec": torch.optim.Adam(self.nets["dec"].parameters(), lr=1e-2),
        }

    def step_all(self):
        for name in self.nets:
            optimizer = self.optimizers.get(f"opt_{name}")  # <-- culprit
            if optimizer is not None:  # <-- culprit
                optimizer.step()  # <-- culprit

    def fit(self, x, steps):
        losses = []
        for _ in range(steps):
            self.nets.zero_grad()
            loss = loss_fn(self.nets, x)
            loss.backward()
            self.step_all()
            losses.append(loss.item())
        return losses


def build():
    return Trainer(), torch.randn(9, 6)


def make():
    trainer, x = build()
    return trainer.nets, trainer.optimizers, x


def loss_fn(nets, x):
    return nn.functional.mse_loss(nets["dec"](torch.tanh(nets["enc"](x))), x)


def train(steps=3):
    trainer, x = build()
    return trainer.nets, trainer.fit(x, steps)


KIND = "loop"
EXPECT = {"enc.weight": "blocked", "enc.bias": "blocked", "dec.weight": "trained", "dec.bias": "trained"}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
