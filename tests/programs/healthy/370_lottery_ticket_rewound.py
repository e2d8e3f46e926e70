"""Lottery ticket: train, prune by magnitude, rewind to the initial weights, again. Origin: lottery ticket hypothesis."""
import torch
from torch import nn
import torch.nn.functional as F


import copy


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 12), nn.ReLU(), nn.Linear(12, 2))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(8, 4), torch.randint(0, 2, (8,)))


def loss_fn(model, b):
    return F.cross_entropy(model(b[0]), b[1])


def train(rounds=3, steps=2):
    model, optimizer, batch = make()
    initial = copy.deepcopy(model.state_dict())
    masks = {n: torch.ones_like(p) for n, p in model.named_parameters()}
    losses = []
    for _ in range(rounds):
        for _ in range(steps):
            optimizer.zero_grad()
            loss = loss_fn(model, batch)
            loss.backward()
            for n, p in model.named_parameters():
                p.grad.mul_(masks[n])
            optimizer.step()
            losses.append(loss.item())
        with torch.no_grad():
            for n, p in model.named_parameters():
                if p.dim() > 1:
                    masks[n] = (p.abs() > p.abs().flatten().kthvalue(p.numel() // 4).values).float() * masks[n]
                p.copy_(initial[n] * masks[n])
    for _ in range(steps):
        optimizer.zero_grad()
        loss_fn(model, batch).backward()
        optimizer.step()
    return model, losses


KIND = "healthy"
EXPECT = {
    "0.weight": "trained",
    "0.bias": "trained",
    "2.weight": "trained",
    "2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
