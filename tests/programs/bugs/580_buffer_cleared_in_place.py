"""An accumulator was "initialised" by taking the first tensor and zeroing it, in place. That was the first branch's output.
Origin: "in-place zero_ on an activation" question; retold."""
import torch
from torch import nn


class Sum(nn.Module):
    def __init__(self, d=5, branches=3):
        super().__init__()
        self.branches = nn.ModuleList(nn.Linear(d, d) for _ in range(branches))
        self.out = nn.Linear(d, 1)

    def forward(self, x):
        parts = [branch(x) for branch in self.branches]
        total = parts[0]
        total.zero_()  # <-- culprit
        for part in parts:
            total = total + torch.relu(part)
        return self.out(total)


def make():
    torch.manual_seed(0)
    model = Sum()
    return model, torch.optim.SGD(model.parameters(), lr=0.05), (torch.randn(8, 5), torch.randn(8, 1))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.mse_loss(model(x), y)


def train(steps=3):
    model, optimizer, batch = make()
    history = []
    model.train()
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        history.append(float(loss))
    return model, history


KIND = "forward"
EXPECT = {
    "branches.0.weight": "blocked",
    "branches.0.bias": "blocked",
    "branches.1.weight": "trained",
    "branches.1.bias": "trained",
    "branches.2.weight": "trained",
    "branches.2.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
