"""Sharpness-aware minimisation as an Optimizer wrapping a base optimizer: climb, second backward, descend. Origin: SAM (davda54)."""
import torch
from torch import nn
import torch.nn.functional as F


class SAM(torch.optim.Optimizer):
    def __init__(self, params, base, rho=0.05, **kw):
        super().__init__(params, dict(rho=rho, **kw))
        self.base = base(self.param_groups, **kw)
        self.param_groups = self.base.param_groups

    @torch.no_grad()
    def first_step(self):
        norm = torch.norm(torch.stack([p.grad.norm() for g in self.param_groups for p in g["params"] if p.grad is not None]))
        for g in self.param_groups:
            for p in g["params"]:
                if p.grad is not None:
                    self.state[p]["old"] = p.data.clone()
                    p.add_(p.grad * (0.05 / (norm + 1e-12)))
        self.zero_grad()

    @torch.no_grad()
    def second_step(self):
        for g in self.param_groups:
            for p in g["params"]:
                if p.grad is not None:
                    p.data = self.state[p]["old"]
        self.base.step()
        self.zero_grad()


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2))
    return model, SAM(model.parameters(), torch.optim.SGD, lr=0.1, momentum=0.9), (torch.randn(8, 4), torch.randint(0, 2, (8,)))


def loss_fn(model, b):
    return F.cross_entropy(model(b[0]), b[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.first_step()
        loss_fn(model, batch).backward()
        optimizer.second_step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "0.weight": "trained",
    "0.bias": "trained",
    "2.weight": "trained",
    "2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
