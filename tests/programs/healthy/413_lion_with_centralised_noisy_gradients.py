"""Healthy: an Optimizer subclass from scratch (Lion); gradients are centralised and made noisy by assigning new tensors to `.grad`."""
import torch
from torch import nn


class Lion(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.99), weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                direction = (b1 * m + (1 - b1) * p.grad).sign()
                p.data = p.data - group["lr"] * (direction + group["weight_decay"] * p.data)
                self.state[p]["m"] = b2 * m + (1 - b2) * p.grad


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv1d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(24, 2))
    return model, Lion(model.parameters(), lr=1e-3), (torch.randn(6, 2, 8), torch.randint(0, 2, (6,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        model.zero_grad(set_to_none=True)
        loss.backward()
        for p in model.parameters():
            if p.dim() > 1:
                p.grad = p.grad - p.grad.mean(dim=tuple(range(1, p.dim())), keepdim=True)
            p.grad = p.grad + 1e-3 * torch.randn_like(p)
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {f"{i}.{n}": "trained" for i in (0, 3) for n in ("weight", "bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
