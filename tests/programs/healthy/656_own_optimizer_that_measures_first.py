"""An optimizer of the project's own looks at gradients for five steps before it moves anything."""
import torch
from torch import nn


class Measured(torch.optim.Optimizer):
    def __init__(self, params, lr=0.1, measured=5):
        super().__init__(params, dict(lr=lr))
        self.measured, self.count, self.scale = measured, 0, 0.0

    @torch.no_grad()
    def step(self, closure=None):
        self.count += 1
        norm = sum(p.grad.square().sum() for group in self.param_groups for p in group["params"]).sqrt()
        self.scale = max(self.scale, norm.item())
        if self.count <= self.measured:
            return
        for group in self.param_groups:
            for p in group["params"]:
                p.add_(p.grad / self.scale, alpha=-group["lr"])


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
    return model, Measured(model.parameters()), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    return (model(batch[0]) - batch[1]).square().mean()


def train(steps=8):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
NEEDS_LOOP = True
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
