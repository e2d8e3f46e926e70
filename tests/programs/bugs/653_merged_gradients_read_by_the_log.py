"""Gradient surgery over two tasks: the merged gradients are a generator, and the line that logs their norm uses them up before they are
written to the parameters.
Origin: PCGrad re-implementations; retold."""
import torch
from torch import nn


class TwoTasks(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = nn.Linear(5, 6)
        self.first, self.second = nn.Linear(6, 1), nn.Linear(6, 1)

    def forward(self, x):
        h = torch.relu(self.shared(x))
        return self.first(h), self.second(h)


def project(g, other):
    dot = (g * other).sum()
    return g - dot / (other.norm() ** 2 + 1e-9) * other if dot < 0 else g


def make():
    torch.manual_seed(0)
    model = TwoTasks()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(9, 5), torch.randn(9, 1), torch.randn(9, 1))


def loss_fn(model, batch):
    a, b = model(batch[0])
    return nn.functional.mse_loss(a, batch[1]) + nn.functional.mse_loss(b, batch[2])


def train(steps=3):
    model, optimizer, (x, y1, y2) = make()
    parameters = list(model.parameters())
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        a, b = model(x)
        tasks = (nn.functional.mse_loss(a, y1), nn.functional.mse_loss(b, y2))
        one, two = (torch.autograd.grad(t, parameters, retain_graph=True, materialize_grads=True) for t in tasks)
        merged = (project(g, h) + project(h, g) for g, h in zip(one, two))  # <-- culprit
        norm = sum(float(g.norm()) for g in merged)  # <-- culprit
        for parameter, gradient in zip(parameters, merged):  # <-- culprit
            parameter.grad = gradient
        optimizer.step()
        losses.append((norm, tasks[0].item()))
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("shared.weight", "shared.bias", "first.weight", "first.bias", "second.weight", "second.bias")}
CAUSE = "other"

if __name__ == "__main__":
    train()
