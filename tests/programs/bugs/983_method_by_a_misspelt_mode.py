"""The method that computes the loss is asked for by a misspelt mode, and the one without the second model runs.
Origin: made up after trainers that dispatch by name."""
import torch
from torch import nn


class Trainer:
    mode = "jiont"  # <-- culprit

    def __init__(self):
        self.net = nn.Linear(4, 2)
        self.auxiliary = nn.Linear(4, 2)
        self.optimizer = torch.optim.SGD([*self.net.parameters(), *self.auxiliary.parameters()], lr=0.1)

    def _loss_joint(self, x):
        return self.net(x).square().mean() + self.auxiliary(x).square().mean()

    def _loss_single(self, x):
        return self.net(x).square().mean()

    def fit(self, steps):
        losses = []
        for _ in range(steps):
            compute = getattr(self, "_loss_" + self.mode, self._loss_single)
            loss = compute(torch.randn(8, 4))
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            losses.append(loss.item())
        return losses


def train(steps=4):
    torch.manual_seed(0)
    trainer = Trainer()
    losses = trainer.fit(steps)
    return trainer.net, losses


KIND = "loop"
EXPECT = {"weight": "trained", "bias": "trained", "!weight": "stale", "!bias": "stale"}
CAUSE = "stale_reference"

if __name__ == "__main__":
    train()
