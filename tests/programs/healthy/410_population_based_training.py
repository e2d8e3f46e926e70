"""Healthy: a population of three; every second round the worst member gets the best one's weights and a perturbed rate. NEEDS_LOOP"""
import random

import torch
from torch import nn


def make():
    torch.manual_seed(0)
    random.seed(0)
    population = nn.ModuleList(nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 1)) for _ in range(3))
    optimizers = [torch.optim.SGD(member.parameters(), lr=lr) for member, lr in zip(population, (0.01, 0.03, 0.1))]
    return population, optimizers, (torch.randn(16, 4), torch.randn(16, 1))


def loss_fn(population, batch):
    return sum(nn.functional.mse_loss(member(batch[0]), batch[1]) for member in population)


def exploit_and_explore(population, optimizers, scores):
    best, worst = min(scores, key=scores.get), max(scores, key=scores.get)
    population[worst].load_state_dict(population[best].state_dict())
    for mine, theirs in zip(optimizers[worst].param_groups, optimizers[best].param_groups):
        mine["lr"] = theirs["lr"] * random.choice([0.8, 1.25])


def train(steps=6):
    population, optimizers, (x, y) = make()
    losses = []
    for step in range(steps):
        scores = {}
        for i, (member, optimizer) in enumerate(zip(population, optimizers)):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(member(x), y)
            loss.backward()
            optimizer.step()
            scores[i] = loss.item()
        if step % 2:
            exploit_and_explore(population, optimizers, scores)
        losses.append(min(scores.values()))
    return population, losses


KIND = "healthy"
EXPECT = {f"{m}.{n}": "trained" for m in range(3) for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
