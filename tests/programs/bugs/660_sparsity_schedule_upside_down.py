"""Gradual pruning: the sparsity should rise from 0 to its final value along a cubic. With the sign turned round it is 1 at the first step, and
pruning is for ever.
Origin: "to prune or not to prune" schedules, re-implemented; retold."""
import torch
from torch import nn
from torch.nn.utils import prune


def sparsity(step, total, initial=0.0, final=0.8):
    progress = min(step / total, 1.0)
    return final + (final - initial) * (1 - progress) ** 3  # <-- culprit


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.out = nn.Linear(6, 10), nn.Linear(10, 2)
        prune.identity(self.hidden, "weight")

    def forward(self, x):
        return self.out(torch.tanh(self.hidden(x)))


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 6), torch.randint(0, 2, (12,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=6):
    model, optimizer, batch = make()
    losses = []
    for step in range(steps):
        prune.l1_unstructured(model.hidden, "weight", amount=min(1.0, sparsity(step, steps)))  # <-- culprit
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"hidden.weight_orig": "blocked", "hidden.bias": "trained", "out.weight": "trained", "out.bias": "trained"}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
