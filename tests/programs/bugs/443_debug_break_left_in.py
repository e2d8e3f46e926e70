"""A `break` from debugging was left in the loop, before the optimizer's step.
Origin: made up; everybody did it once."""
from types import SimpleNamespace

import torch
from torch import nn

ARGS = SimpleNamespace(lr=1e-3, debug=True)  # <-- culprit


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    return model, torch.optim.Adam(model.parameters(), lr=ARGS.lr), (torch.randn(6, 4), torch.randint(0, 2, (6,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for epoch in range(steps):
        for i, data in enumerate([batch] * 4):
            optimizer.zero_grad()
            loss = loss_fn(model, data)
            loss.backward()
            losses.append(loss.item())
            if ARGS.debug and i == 0:  # <-- culprit
                print("gradient norm", next(model.parameters()).grad.norm().item())
                break  # <-- culprit
            optimizer.step()
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
