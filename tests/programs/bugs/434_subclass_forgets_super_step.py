"""A subclass of Adam that clips before stepping, and never calls the step it inherits.
Origin: made up after custom optimizer questions."""
import torch
from torch import nn


class ClippedAdam(torch.optim.Adam):
    def __init__(self, params, lr=1e-3, clip=1.0):
        super().__init__(params, lr=lr)
        self.clip = clip

    def step(self, closure=None):  # <-- culprit
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            torch.nn.utils.clip_grad_norm_(group["params"], self.clip)  # <-- culprit
        return loss  # <-- culprit


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 7), nn.ReLU(), nn.Linear(7, 2))
    return model, ClippedAdam(model.parameters(), lr=1e-2), (torch.randn(8, 6), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
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
