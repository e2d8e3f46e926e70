"""A meta-model weighs the validation losses of its experts. The losses are gathered as a numpy array (the logging wants one)
and brought back with as_tensor.
Origin: "list of losses to tensor" threads; retold."""
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F


class Ensemble(nn.Module):
    def __init__(self, d=5, n=3):
        super().__init__()
        self.experts = nn.ModuleList([nn.Linear(d, 1) for _ in range(n)])
        self.alpha = nn.Parameter(torch.zeros(n))

    def errors(self, x, y):
        values = np.zeros(len(self.experts), dtype=np.float32)
        for i, expert in enumerate(self.experts):
            values[i] = F.mse_loss(expert(x), y)  # <-- culprit
        return values


LOG = []


def loss_fn(model, batch):
    x, y = batch
    errors = model.errors(x, y)
    LOG.append(errors)
    weights = torch.softmax(model.alpha, dim=0)
    return (weights * torch.as_tensor(errors)).sum()  # <-- culprit


def make():
    torch.manual_seed(0)
    LOG.clear()
    model = Ensemble()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    return model, optimizer, (torch.randn(12, 5), torch.randn(12, 1))


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
    "alpha": "trained",
    "experts.0.weight": "unreachable",
    "experts.0.bias": "unreachable",
    "experts.1.weight": "unreachable",
    "experts.1.bias": "unreachable",
    "experts.2.weight": "unreachable",
    "experts.2.bias": "unreachable",
}
CAUSE = "to_python"

if __name__ == "__main__":
    train()
