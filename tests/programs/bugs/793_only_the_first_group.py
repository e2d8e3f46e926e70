"""The step goes through the first group, and there are two."""
import torch
from torch import nn


class First(torch.optim.Optimizer):
    def __init__(self, params, lr=0.1):
        super().__init__(params, dict(lr=lr))

    @torch.no_grad()
    def step(self, closure=None):
        for p in self.param_groups[0]["params"]:  # <-- culprit
            if p.grad is not None:
                p.add_(p.grad, alpha=-self.param_groups[0]["lr"])


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
    return model, First([{"params": model[0].parameters()}, {"params": model[2].parameters()}]), (torch.randn(8, 4), torch.randn(8, 1))


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
EXPECT = {"0.weight": "trained", "0.bias": "trained", "2.weight": "blocked", "2.bias": "blocked"}
CAUSE = "other"

if __name__ == "__main__":
    train()
