"""The accumulation counter is a local of the method, so it is 1 in each call.
Origin: made up after home-made accumulation helpers."""
import torch
from torch import nn


class Accumulator:
    def __init__(self, model, optimizer, every):
        self.model, self.optimizer, self.every = model, optimizer, every

    def feed(self, batch):
        count = 0  # <-- culprit
        loss = loss_fn(self.model, batch) / self.every
        loss.backward()
        count += 1
        if count == self.every:  # <-- culprit
            self.optimizer.step()
            self.optimizer.zero_grad()
        return loss.item() * self.every


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 1))
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=4):
    model, optimizer, batch = make()
    acc = Accumulator(model, optimizer, every=2)
    return model, [acc.feed(batch) for _ in range(steps)]


KIND = "loop"
EXPECT = {"0.weight": "blocked", "0.bias": "blocked", "2.weight": "blocked", "2.bias": "blocked"}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
