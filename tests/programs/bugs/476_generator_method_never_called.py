"""A GAN trainer with a method for each network. `fit` calls the discriminator's twice.
Origin: made up after copy-and-paste slips."""
import torch
from torch import nn


class Trainer:
    def __init__(self):
        torch.manual_seed(0)
        self.nets = nn.ModuleDict({"G": nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 2)), "D": nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 1))})
        self.opt_g = torch.optim.Adam(self.nets["G"].parameters(), lr=1e-3)
        self.opt_d = torch.optim.Adam(self.nets["D"].parameters(), lr=1e-3)

    def update_d(self, real):
        fake = self.nets["G"](torch.randn(len(real), 2)).detach()
        loss = nn.functional.softplus(self.nets["D"](fake)).mean() + nn.functional.softplus(-self.nets["D"](real)).mean()
        self.opt_d.zero_grad()
        loss.backward()
        self.opt_d.step()
        return loss.item()

    def update_g(self, real):
        loss = nn.functional.softplus(-self.nets["D"](self.nets["G"](torch.randn(len(real), 2)))).mean()
        self.opt_g.zero_grad()
        loss.backward()
        self.opt_g.step()
        return loss.item()

    def fit(self, real, steps):
        losses = []
        for _ in range(steps):
            losses.append(self.update_d(real) + self.update_d(real))  # <-- culprit
        return losses


def build():
    return Trainer(), torch.randn(10, 2) + 1


def make():
    trainer, real = build()
    return trainer.nets, [trainer.opt_g, trainer.opt_d], real


def loss_fn(nets, real):
    return nn.functional.softplus(-nets["D"](nets["G"](torch.randn(len(real), 2)))).mean()


def train(steps=3):
    trainer, real = build()
    return trainer.nets, trainer.fit(real, steps)


KIND = "loop"
EXPECT = {f"G.{n}": "unreachable" for n in ("0.weight", "0.bias", "2.weight", "2.bias")} | {
    f"D.{n}": "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "detached"

if __name__ == "__main__":
    train()
