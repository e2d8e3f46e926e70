"""Hooks that only log: tensor hooks returning None, full backward hooks, forward hooks with detached copies. Origin: debugging helpers."""
import torch
from torch import nn
import torch.nn.functional as F


NORMS = []


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
    for p in model.parameters():
        p.register_hook(lambda g: NORMS.append(g.norm().item()))
    model[0].register_full_backward_hook(lambda m, gi, go: NORMS.append(go[0].abs().max().item()))
    model[2].register_forward_hook(lambda m, i, o: NORMS.append(float(o.detach().mean())))
    return model, torch.optim.SGD(model.parameters(), lr=0.1, foreach=False), (torch.randn(8, 4), torch.randint(0, 2, (8,)))


def loss_fn(model, b):
    return F.cross_entropy(model(b[0]), b[1])


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
