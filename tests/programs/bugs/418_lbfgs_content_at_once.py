"""L-BFGS with tolerance_grad=1e2, mistaken for a clipping bound: it finds itself at the optimum at once and changes nothing.
Origin: made up after "LBFGS stops after one evaluation" threads."""
import torch
from torch import nn


class Quadratic(nn.Module):
    def __init__(self):
        super().__init__()
        self.coefficients = nn.Parameter(torch.zeros(3))

    def forward(self, x):
        return (torch.stack([torch.ones_like(x), x, x * x], -1) * self.coefficients).sum(-1)


def make():
    torch.manual_seed(0)
    model = Quadratic()
    optimizer = torch.optim.LBFGS(model.parameters(), lr=1.0, tolerance_grad=1e2)  # <-- culprit
    x = torch.linspace(-1, 1, 20)
    return model, optimizer, (x, 3 * x * x - x + 0.5)


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []

    def closure():
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        losses.append(loss.item())
        return loss

    for _ in range(steps):
        optimizer.step(closure)
    return model, losses


KIND = "loop"
EXPECT = {"coefficients": "blocked"}
CAUSE = "other"

if __name__ == "__main__":
    train()
