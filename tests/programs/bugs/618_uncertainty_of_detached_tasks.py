"""Uncertainty weighting of several tasks. So that the weights alone decide, the author detached the losses inside the weighted sum, where a
copy for the log was to be detached.
Origin: a multi-task repository; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class MultiTask(nn.Module):
    def __init__(self, tasks=("depth", "normal", "edge")):
        super().__init__()
        self.trunk = nn.Linear(6, 8)
        self.heads = nn.ModuleDict({t: nn.Linear(8, 2) for t in tasks})
        self.log_vars = nn.Parameter(torch.zeros(len(tasks)))

    def forward(self, x):
        h = torch.relu(self.trunk(x))
        return {t: head(h) for t, head in self.heads.items()}


class Weighted:
    def __init__(self, log_vars):
        self.log_vars = log_vars

    def combine(self, losses):
        stacked = torch.stack([v.detach() for v in losses.values()])  # <-- culprit
        return (torch.exp(-self.log_vars) * stacked + self.log_vars).sum()


def make():
    torch.manual_seed(0)
    model = MultiTask()
    batch = (torch.randn(9, 6), {t: torch.randn(9, 2) for t in model.heads})
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), batch


def loss_fn(model, batch):
    x, targets = batch
    outputs = model(x)
    losses = {t: F.smooth_l1_loss(outputs[t], targets[t]) for t in outputs}
    return Weighted(model.log_vars).combine(losses)


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loss"
EXPECT = {
    "log_vars": "trained",
    "trunk.weight": "unreachable",
    "trunk.bias": "unreachable",
    "heads.depth.weight": "unreachable",
    "heads.depth.bias": "unreachable",
    "heads.normal.weight": "unreachable",
    "heads.normal.bias": "unreachable",
    "heads.edge.weight": "unreachable",
    "heads.edge.bias": "unreachable",
}
CAUSE = "detached"

if __name__ == "__main__":
    train()
