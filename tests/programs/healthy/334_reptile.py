"""Reptile: the inner loop trains a deep copy; the outer step moves the weights towards it through p.grad. Origin: Reptile."""
import torch
from torch import nn
import torch.nn.functional as F


import copy


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
    x = torch.linspace(-1, 1, 10)[:, None]
    return model, torch.optim.SGD(model.parameters(), lr=0.5), [(x, torch.sin(3 * x + k)) for k in range(3)]


def loss_fn(model, tasks):
    return sum(F.mse_loss(model(x), y) for x, y in tasks) / len(tasks)


def train(steps=3):
    model, outer, tasks = make()
    losses = []
    for step in range(steps):
        fast = copy.deepcopy(model)
        inner = torch.optim.SGD(fast.parameters(), lr=0.1)
        for _ in range(3):
            inner.zero_grad()
            loss = loss_fn(fast, [tasks[step % 3]])
            loss.backward()
            inner.step()
        outer.zero_grad()
        for p, q in zip(model.parameters(), fast.parameters()):
            p.grad = (p - q).detach()
        outer.step()
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
