"""zero_grad was forgotten: each step uses the sum of all gradients so far. Everything moves, and training diverges.
Origin: made up after the commonest of all training-loop questions."""
import torch
from torch import nn


class Fit:
    def __init__(self, model, optimizer):
        self.model, self.optimizer = model, optimizer

    def epoch(self, batches):
        total = 0.0
        for batch in batches:
            loss = loss_fn(self.model, batch)
            loss.backward()  # <-- culprit
            self.optimizer.step()  # <-- culprit
            total += loss.item()
        return total / len(batches)


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 9), nn.Tanh(), nn.Linear(9, 1))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(6, 3), torch.randn(6, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    fit = Fit(model, optimizer)
    return model, [fit.epoch([batch, batch]) for _ in range(steps)]


KIND = "loop"
EXPECT = {"0.weight": "trained", "0.bias": "trained", "2.weight": "trained", "2.bias": "trained"}
CAUSE = "never_cleared"

if __name__ == "__main__":
    train()
