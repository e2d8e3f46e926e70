"""An optimizer of the project's own refuses a step, and the loop goes on with the next batch."""
import torch
from torch import nn


class Strict(torch.optim.Optimizer):
    def __init__(self, params, lr=0.1):
        super().__init__(params, dict(lr=lr))
        self.count = 0

    @torch.no_grad()
    def step(self, closure=None):
        self.count += 1
        for group in self.param_groups:
            for p in group["params"]:
                direction = p.grad / p.grad.norm()
                if self.count == 2:
                    raise ValueError("not yet")
                if self.count > 3:
                    p.add_(direction, alpha=-group["lr"])


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
    return model, Strict(model.parameters()), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    return (model(batch[0]) - batch[1]).square().mean()


def train(steps=8):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        try:
            optimizer.step()
        except ValueError:
            continue
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
NEEDS_LOOP = True
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
