"""A second model is built, and held by the optimizer, but joins the loss only behind a flag that nobody sets.
Origin: made up after repositories whose auxiliary networks are switched on by an option."""
import torch
from torch import nn


def train(steps=4, with_auxiliary=False):  # <-- culprit
    torch.manual_seed(0)
    main = nn.Linear(4, 1)
    auxiliary = nn.Linear(4, 1)
    optimizer = torch.optim.SGD([*main.parameters(), *auxiliary.parameters()], lr=0.1)
    x = torch.randn(8, 4)
    losses = []
    for _ in range(steps):
        loss = main(x).square().mean()
        if with_auxiliary:
            loss = loss + auxiliary(x).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return main, losses


KIND = "loop"
EXPECT = {"weight": "trained", "bias": "trained", "!weight": "stale", "!bias": "stale"}
CAUSE = "stale_reference"

if __name__ == "__main__":
    train()
