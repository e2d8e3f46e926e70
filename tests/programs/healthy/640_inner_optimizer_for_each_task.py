"""First-order meta-learning: each of 20 tasks trains a copy of the model with an optimizer of its own; the gradients of the
copies are written into the model's.
Origin: first-order MAML, retold."""
import copy

import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), torch.rand(10, 1) * 10 - 5


def loss_fn(model, batch):
    return (model(batch) - torch.sin(batch)).square().mean()


def adapted(model, x, amplitude):
    learner = copy.deepcopy(model)
    inner = torch.optim.SGD(learner.parameters(), lr=0.01)
    for _ in range(5):
        inner.zero_grad()
        (learner(x) - amplitude * torch.sin(x)).square().mean().backward()
        inner.step()
    inner.zero_grad()
    (learner(x) - amplitude * torch.sin(x)).square().mean().backward()
    return learner


def train(steps=6):
    model, optimizer, x = make()
    for _ in range(steps):
        optimizer.zero_grad()
        for task in range(20):
            learner = adapted(model, x, 1 + task / 10)
            for mine, its in zip(model.parameters(), learner.parameters()):
                mine.grad = its.grad / 20 if mine.grad is None else mine.grad + its.grad / 20
        optimizer.step()
    return model


KIND = "loop"
EXPECT = {"0.weight": "trained", "0.bias": "trained", "2.weight": "trained", "2.bias": "trained"}

if __name__ == "__main__":
    train()
