"""The trust ratio is the norm of the parameter, and the biases begin at zero: their update is 0 times the gradient, for good."""
import torch
from torch import nn


class Lars(torch.optim.Optimizer):
    def __init__(self, params, lr=0.1, trust=0.1):
        super().__init__(params, dict(lr=lr, trust=trust))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                ratio = group["trust"] * p.norm() / (p.grad.norm() + 1e-8)  # <-- culprit
                p.sub_(group["lr"] * ratio * p.grad)


def zeroed(model):
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.zeros_(layer.bias)
    return model


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
    return model, Lars(zeroed(model).parameters()), (torch.randn(8, 4), torch.randn(8, 1))


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
