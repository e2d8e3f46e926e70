"""Averaged gradients with a decay of 1: `1 - beta` is 0, and nothing ever enters the average."""
import torch
from torch import nn


class Averaged(torch.optim.Optimizer):
    def __init__(self, params, lr=0.1, beta=1):  # <-- culprit
        super().__init__(params, dict(lr=lr, beta=beta))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            beta = group["beta"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if "average" not in state:
                    state["average"] = torch.zeros_like(p)
                average = state["average"]
                average.mul_(beta).add_(p.grad, alpha=1 - beta)  # <-- culprit
                p.sub_(group["lr"] * average)


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
    return model, Averaged(model.parameters()), (torch.randn(8, 4), torch.randn(8, 1))


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
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "other"

if __name__ == "__main__":
    train()
