"""The multi-tensor version works on a list of clones: `_foreach_add_` writes into them, and nobody copies them back."""
import torch
from torch import nn


class Multi(torch.optim.Optimizer):
    def __init__(self, params, lr=0.1):
        super().__init__(params, dict(lr=lr))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            ready = [p for p in group["params"] if p.grad is not None]
            weights = [p.detach().clone() for p in ready]  # <-- culprit
            grads = [p.grad for p in ready]
            torch._foreach_add_(weights, grads, alpha=-group["lr"])


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
    return model, Multi(model.parameters()), (torch.randn(8, 4), torch.randn(8, 1))


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
