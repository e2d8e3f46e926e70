"""Mixture of experts with top-1 routing: which experts get rows changes from batch to batch. Origin: Switch transformer."""
import torch
from torch import nn
import torch.nn.functional as F


class MoE(nn.Module):
    def __init__(self, d=4, n=4):
        super().__init__()
        self.router = nn.Linear(d, n)
        self.experts = nn.ModuleList(nn.Linear(d, d) for _ in range(n))

    def forward(self, x):
        gate = self.router(x).softmax(-1)
        weight, index = gate.max(-1)
        out = torch.zeros_like(x)
        for i, expert in enumerate(self.experts):
            rows = (index == i).nonzero().squeeze(-1)
            if len(rows):
                out.index_add_(0, rows, weight[rows, None] * expert(x[rows]))
        return out


def make():
    torch.manual_seed(0)
    model = MoE()
    with torch.no_grad():
        model.router.weight.copy_(torch.eye(4) * 3)
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), [torch.eye(4)[i % 4].repeat(5, 1) + 0.05 * torch.randn(5, 4) for i in range(8)]


def loss_fn(model, batch):
    x = torch.cat(batch)
    return F.mse_loss(model(x), -x)


def train():
    model, optimizer, batches = make()
    losses = []
    for x in batches:
        optimizer.zero_grad()
        loss = loss_fn(model, [x])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "router.weight": "trained",
    "router.bias": "trained",
    "experts.0.weight": "trained",
    "experts.0.bias": "trained",
    "experts.1.weight": "trained",
    "experts.1.bias": "trained",
    "experts.2.weight": "trained",
    "experts.2.bias": "trained",
    "experts.3.weight": "trained",
    "experts.3.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
