"""A trainer's subclass adds logging to the hook that steps, and does not call the one it overrides."""
import torch
from torch import nn


class Trainer:
    def __init__(self, model, lr=0.1):
        self.model = model
        self.optimizer = torch.optim.SGD(model.parameters(), lr=lr)

    def optimizer_step(self, number):
        self.optimizer.step()

    def fit(self, batch, steps):
        losses = []
        for number in range(steps):
            self.optimizer.zero_grad()
            loss = loss_fn(self.model, batch)
            loss.backward()
            self.optimizer_step(number)
            losses.append(loss.item())
        return losses


class VerboseTrainer(Trainer):
    def optimizer_step(self, number):  # <-- culprit
        norm = sum(p.grad.square().sum() for p in self.model.parameters()).sqrt()
        print(f"{number}: gradient norm {norm:.3f}")


def build():
    torch.manual_seed(0)
    return VerboseTrainer(nn.Sequential(nn.Linear(4, 6), nn.SiLU(), nn.Linear(6, 2))), (torch.randn(8, 4), torch.randint(0, 2, (8,)))


def make():
    trainer, batch = build()
    return trainer.model, trainer.optimizer, batch


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    trainer, batch = build()
    return trainer.model, trainer.fit(batch, steps)


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
