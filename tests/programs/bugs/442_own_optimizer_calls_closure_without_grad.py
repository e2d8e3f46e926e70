"""An Optimizer subclass whose `step` stands under `@torch.no_grad()` and calls the closure there: the loss has no graph.
Origin: made up after closure questions; torch.optim's own steps enable gradients around the closure."""
import torch
from torch import nn


class Momentum(torch.optim.Optimizer):
    def __init__(self, params, lr=0.1, beta=0.9):
        super().__init__(params, {"lr": lr, "beta": beta})

    @torch.no_grad()  # <-- culprit
    def step(self, closure):
        loss = closure()  # <-- culprit
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    buffer = self.state[p].setdefault("v", torch.zeros_like(p))
                    buffer.mul_(group["beta"]).add_(p.grad)
                    p.sub_(group["lr"] * buffer)
        return loss


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 5), nn.Softplus(), nn.Linear(5, 1))
    return model, Momentum(model.parameters()), (torch.randn(9, 3), torch.randn(9, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []

    def closure():
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        return loss

    for _ in range(steps):
        losses.append(optimizer.step(closure).item())
    return model, losses


KIND = "loop"
RAISES = "RuntimeError"
EXPECT = {n: "unreachable" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "no_grad"

if __name__ == "__main__":
    train()
