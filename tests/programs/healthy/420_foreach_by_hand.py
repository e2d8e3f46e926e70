"""Healthy: no optimizer class at all; a function updates all parameters with torch._foreach_* under no_grad and clears with None.
NEEDS_LOOP"""
import torch
from torch import nn


class HandMadeNesterov:
    def __init__(self, params, lr, momentum):
        self.params = list(params)
        self.velocity = [torch.zeros_like(p) for p in self.params]
        self.lr, self.momentum = lr, momentum

    @torch.no_grad()
    def apply(self):
        grads = [p.grad for p in self.params]
        torch._foreach_mul_(self.velocity, self.momentum)
        torch._foreach_add_(self.velocity, grads)
        torch._foreach_add_(self.params, torch._foreach_add(grads, self.velocity, alpha=self.momentum), alpha=-self.lr)
        for p in self.params:
            p.grad = None


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 7), nn.Tanh(), nn.Linear(7, 1))
    return model, [], (torch.randn(10, 4), torch.randn(10, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=4):
    model, _, batch = make()
    rule = HandMadeNesterov(model.parameters(), 0.05, 0.9)
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        loss.backward()
        rule.apply()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
