"""A subclass of SGD lends its groups a scaled rate while it steps; the scale is a progress that counts whole epochs, and is 0 in the first."""
import torch
from torch import nn


class Progressive(torch.optim.SGD):
    def __init__(self, params, lr, batches):
        super().__init__(params, lr=lr)
        self.batches, self.seen = batches, 0

    def step(self, closure=None):
        self.seen += 1
        scale = self.seen // self.batches  # <-- culprit
        kept = [group["lr"] for group in self.param_groups]
        for group in self.param_groups:
            group["lr"] = group["lr"] * scale  # <-- culprit
        super().step()
        for group, lr in zip(self.param_groups, kept):
            group["lr"] = lr


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
    return model, Progressive(model.parameters(), 0.1, 100), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    return (model(batch[0]) - batch[1]).square().mean()


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "other"

if __name__ == "__main__":
    train()
