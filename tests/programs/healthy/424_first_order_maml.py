"""Healthy: first-order MAML: an adapted copy is made for each task, and its gradients are copied to the meta-parameters. NEEDS_LOOP"""
import copy

import torch
from torch import nn


def make():
    torch.manual_seed(0)
    meta = nn.Sequential(nn.Linear(1, 8), nn.ReLU(), nn.Linear(8, 1))
    return meta, torch.optim.Adam(meta.parameters(), lr=1e-2), torch.linspace(-2, 2, 20)[:, None]


def loss_fn(meta, x):
    return nn.functional.mse_loss(meta(x), torch.sin(x))


def adapt(meta, x, y):
    learner = copy.deepcopy(meta)
    inner = torch.optim.SGD(learner.parameters(), lr=0.05)
    for _ in range(2):
        inner.zero_grad()
        nn.functional.mse_loss(learner(x[::2]), y[::2]).backward()
        inner.step()
    learner.zero_grad()
    loss = nn.functional.mse_loss(learner(x[1::2]), y[1::2])
    loss.backward()
    return learner, loss.item()


def train(steps=4):
    meta, outer, x = make()
    losses = []
    for _ in range(steps):
        outer.zero_grad()
        for phase in (0.0, 1.0):
            learner, loss = adapt(meta, x, torch.sin(x + phase))
            for p, q in zip(meta.parameters(), learner.parameters()):
                p.grad = q.grad.clone() if p.grad is None else p.grad + q.grad
        outer.step()
        losses.append(loss)
    return meta, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
