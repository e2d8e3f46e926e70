"""ConstantLR(factor=0.0, total_iters=1000) taken for "no change": it multiplies the rate by 0 for a thousand steps.
Origin: made up after scheduler questions on discuss.pytorch.org."""
import torch
from torch import nn


class Trainer:
    def __init__(self):
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Conv1d(2, 4, 3), nn.BatchNorm1d(4), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4, 2))
        self.optim = torch.optim.RMSprop(self.net.parameters(), lr=1e-3)
        warm = torch.optim.lr_scheduler.ConstantLR(self.optim, factor=0.0, total_iters=1000)  # <-- culprit
        decay = torch.optim.lr_scheduler.ExponentialLR(self.optim, gamma=0.99)
        self.schedule = torch.optim.lr_scheduler.ChainedScheduler([warm, decay])

    def train_step(self, batch):
        self.optim.zero_grad()
        loss = loss_fn(self.net, batch)
        loss.backward()
        self.optim.step()
        self.schedule.step()
        return loss.item()


def build():
    trainer = Trainer()
    return trainer, (torch.randn(6, 2, 9), torch.randint(0, 2, (6,)))


def make():
    trainer, batch = build()
    return trainer.net, trainer.optim, batch


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    trainer, batch = build()
    return trainer.net, [trainer.train_step(batch) for _ in range(steps)]


KIND = "optimizer"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "1.weight", "1.bias", "5.weight", "5.bias")}
CAUSE = "lr_zero"

if __name__ == "__main__":
    train()
