"""Healthy: conflicting gradients of three tasks are projected, merged, and written back; heads keep their own. A first look at NaN skips nothing."""
import random

import torch
from torch import nn


class Multi(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(5, 7), nn.ReLU())
        self.heads = nn.ModuleList(nn.Linear(7, 1) for _ in range(3))

    def forward(self, x):
        h = self.body(x)
        return [head(h) for head in self.heads]


def make():
    torch.manual_seed(0), random.seed(0)
    model = Multi()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(9, 5), [torch.randn(9, 1) for _ in range(3)])


def losses_of(model, batch):
    return [nn.functional.mse_loss(out, y) for out, y in zip(model(batch[0]), batch[1])]


def loss_fn(model, batch):
    return sum(losses_of(model, batch))


def flat(gradients):
    return torch.cat([g.flatten() for g in gradients])


def project(gradients):
    projected = [g.clone() for g in gradients]
    for mine in projected:
        for other in random.sample(gradients, len(gradients)):
            dot = mine @ other
            if dot < 0:
                mine -= dot / (other @ other) * other
    return torch.stack(projected).sum(0)


def train(steps=4):
    model, optimizer, batch = make()
    shared = list(model.body.parameters())
    history = []
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=True)
        losses = losses_of(model, batch)
        if not all(torch.isfinite(loss) for loss in losses):
            continue
        merged = project([flat(torch.autograd.grad(loss, shared, retain_graph=True)) for loss in losses])
        sum(losses).backward()
        for p, g in zip(shared, merged.split([p.numel() for p in shared])):
            p.grad = g.view_as(p)
        optimizer.step()
        history.append(sum(loss.item() for loss in losses))
    return model, history


KIND = "healthy"
EXPECT = {
    "body.0.weight": "trained",
    "body.0.bias": "trained",
    **{f"heads.{k}.{n}": "trained" for k in range(3) for n in ("weight", "bias")},
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
