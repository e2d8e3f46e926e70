"""MAML by functional calls: the fast weights begin as detached copies. The outer gradients with respect to the model are None, and are filled
up with zeros.
Origin: MAML re-implementations with `allow_unused=True`; retold."""
import torch
from torch import nn
from torch.func import functional_call


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
    x = torch.linspace(-1, 1, 10)[:, None]
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), [(x, torch.sin(3 * x + k)) for k in range(2)]


def adapt(model, x, y, rate=0.1, rounds=2):
    fast = {n: p.detach().clone().requires_grad_() for n, p in model.named_parameters()}  # <-- culprit
    for _ in range(rounds):
        inner = nn.functional.mse_loss(functional_call(model, fast, (x,)), y)
        grads = torch.autograd.grad(inner, list(fast.values()), create_graph=True)
        fast = {n: w - rate * g for (n, w), g in zip(fast.items(), grads)}
    return fast


def loss_fn(model, tasks):
    total = 0.0
    for x, y in tasks:
        fast = adapt(model, x[::2], y[::2])
        total = total + nn.functional.mse_loss(functional_call(model, fast, (x[1::2],)), y[1::2])
    return total / len(tasks)


def train(steps=3):
    model, optimizer, tasks = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, tasks)
        grads = torch.autograd.grad(loss, list(model.parameters()), allow_unused=True)
        for p, g in zip(model.parameters(), grads):
            p.grad = g if g is not None else torch.zeros_like(p)
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "unreachable" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "detached"

if __name__ == "__main__":
    train()
