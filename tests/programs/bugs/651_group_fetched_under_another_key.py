"""Parameters are sorted into a dict of groups; the optimizer asks for one of them by a slightly different key, with an empty list for a
default.
Origin: made up after weight-decay grouping code."""
from collections import defaultdict

import torch
from torch import nn


def split(model):
    groups = defaultdict(list)
    for name, parameter in model.named_parameters():
        key = "no_decay" if parameter.ndim < 2 or "norm" in name else "decay"
        groups[key].append(parameter)
    return dict(groups)


def build_optimizer(model, lr=1e-3, decay=0.05):
    groups = split(model)
    return torch.optim.AdamW(
        [
            {"params": groups.get("decay", []), "weight_decay": decay},
            {"params": groups.get("nodecay", []), "weight_decay": 0.0},  # <-- culprit
        ],
        lr=lr,
    )


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 6), nn.LayerNorm(6), nn.ReLU(), nn.Linear(6, 2))
    return model, build_optimizer(model), (torch.randn(9, 5), torch.randint(0, 2, (9,)))


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
EXPECT = {
    "0.weight": "trained",
    "3.weight": "trained",
    "0.bias": "excluded",
    "1.weight": "excluded",
    "1.bias": "excluded",
    "3.bias": "excluded",
}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
