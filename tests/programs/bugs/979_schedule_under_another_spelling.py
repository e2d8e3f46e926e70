"""A registry of schedules is asked for `warmup-cosine`, has `warmup_cosine`, and falls back to one that is 0.
Origin: made up after training scripts whose registries fall back silently."""
import torch
from torch import nn

SCHEDULES = {}


def schedule(name):
    def add(function):
        SCHEDULES[name] = function
        return function

    return add


@schedule("constant")
def constant(step):
    return 1.0


@schedule("warmup_cosine")
def warmup_cosine(step):
    return min(1.0, (step + 1) / 4)


def off(step):
    return 0.0


class Config:
    schedule = "warmup-cosine"  # <-- culprit
    lr = 0.1


class Trainer:
    def __init__(self, config):
        self.model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=config.lr)
        rate = SCHEDULES.get(config.schedule, off)
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(self.optimizer, rate)

    def fit(self, steps=4):
        losses = []
        for _ in range(steps):
            x = torch.randn(8, 4)
            loss = self.model(x).square().mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.scheduler.step()
            losses.append(loss.item())
        return losses


def train():
    torch.manual_seed(0)
    trainer = Trainer(Config())
    losses = trainer.fit()
    return trainer.model, losses


KIND = "loop"
EXPECT = {"0.weight": "blocked", "0.bias": "blocked", "2.weight": "blocked", "2.bias": "blocked"}
CAUSE = "lr_zero"

if __name__ == "__main__":
    train()
