"""Training is resumed from the last checkpoint of a run whose cosine schedule had reached 0; the optimizer's state brings its
learning rate along.
Origin: made up after "learning rate is 0 after load_state_dict" issues."""
import copy

import torch
from torch import nn


def build():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
    return model, torch.optim.AdamW(model.parameters(), lr=1e-2)


def finished_run():
    """What the earlier run saved at its end."""
    model, optimizer = build()
    for group in optimizer.param_groups:
        group["lr"] = 0.5 * 1e-2 * (1 + torch.cos(torch.tensor(torch.pi, dtype=torch.float64)).item())  # <-- culprit
    return copy.deepcopy({"model": model.state_dict(), "optimizer": optimizer.state_dict()})


def make():
    checkpoint = finished_run()
    model, optimizer = build()
    model.load_state_dict(checkpoint["model"])
    optimizer.load_state_dict(checkpoint["optimizer"])  # <-- culprit
    return model, optimizer, (torch.randn(6, 4), torch.randint(0, 2, (6,)))


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


KIND = "optimizer"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "lr_zero"

if __name__ == "__main__":
    train()
