"""An optimizer of the project's own computes its rate from its count of steps, and begins at 0."""
import torch
from torch import nn


class Warmed(torch.optim.Optimizer):
    def __init__(self, params, lr=0.1, warmup=4):
        super().__init__(params, dict(lr=lr, warmup=warmup))
        self.count = 0

    @torch.no_grad()
    def step(self, closure=None):
        factor = min(1.0, self.count / self.param_groups[0]["warmup"])
        for group in self.param_groups:
            for p in group["params"]:
                p.data.sub_(group["lr"] * factor * p.grad)
        self.count += 1


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
    return model, Warmed(model.parameters()), (torch.randn(8, 4), torch.randn(8, 1))


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
