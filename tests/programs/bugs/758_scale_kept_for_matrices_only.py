"""Vectors are passed over before they are updated: the branch was written for the preconditioner alone."""
import torch
from torch import nn


class Scaled(torch.optim.Optimizer):
    def __init__(self, params, lr=0.1):
        super().__init__(params, dict(lr=lr))

    def direction(self, p):
        return p.grad / (p.grad.norm(dim=1, keepdim=True) + 1e-6)

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None or p.ndim < 2:  # <-- culprit
                    continue  # <-- culprit
                p.add_(self.direction(p), alpha=-group["lr"])


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
    return model, Scaled(model.parameters()), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    return (model(batch[0]) - batch[1]).square().mean()


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"0.weight": "trained", "0.bias": "blocked", "2.weight": "trained", "2.bias": "blocked"}
CAUSE = "other"

if __name__ == "__main__":
    train()
