"""Multi-task heads in a ModuleDict; each batch belongs to one task only. Origin: multi-task training."""
import torch
from torch import nn
import torch.nn.functional as F


class Multi(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Linear(5, 6)
        self.heads = nn.ModuleDict({"a": nn.Linear(6, 2), "b": nn.Linear(6, 3), "c": nn.Linear(6, 1)})

    def forward(self, x, task):
        return self.heads[task](torch.relu(self.trunk(x)))


def make():
    torch.manual_seed(0)
    m = Multi()
    x = torch.randn(8, 5)
    tasks = [("a", x, torch.randint(0, 2, (8,))), ("b", x, torch.randint(0, 3, (8,))), ("c", x, torch.randn(8, 1))]
    return m, torch.optim.Adam(m.parameters(), lr=1e-2), tasks


def one(m, task, x, y):
    out = m(x, task)
    return F.mse_loss(out, y) if task == "c" else F.cross_entropy(out, y)


def loss_fn(m, tasks):
    return sum(one(m, *t) for t in tasks)


def train(steps=9):
    m, optimizer, tasks = make()
    losses = []
    for step in range(steps):
        optimizer.zero_grad()
        loss = one(m, *tasks[0 if step < 5 else 1 + step % 2])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return m, losses


KIND = "healthy"
EXPECT = {
    "trunk.weight": "trained",
    "trunk.bias": "trained",
    "heads.a.weight": "trained",
    "heads.a.bias": "trained",
    "heads.b.weight": "trained",
    "heads.b.bias": "trained",
    "heads.c.weight": "trained",
    "heads.c.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
