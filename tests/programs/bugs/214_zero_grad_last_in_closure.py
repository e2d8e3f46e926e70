"""An LBFGS closure that clears the gradients after backward instead of before.
Origin: made up after LBFGS closure questions."""
import torch
from torch import nn


class Curve(nn.Module):
    def __init__(self):
        super().__init__()
        self.coef = nn.Parameter(torch.randn(4) * 0.1)
        self.shift = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        x = x - self.shift
        return sum(c * x ** k for k, c in enumerate(self.coef))


def make():
    torch.manual_seed(0)
    model = Curve()
    x = torch.linspace(-1, 1, 20)
    return model, torch.optim.LBFGS(model.parameters(), lr=0.5), (x, torch.sin(2 * x) + 0.3)


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()

    def closure():
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.zero_grad()  # <-- culprit
        return loss

    return model, [float(optimizer.step(closure)) for _ in range(steps)]


KIND = "loop"
EXPECT = {"coef": "blocked", "shift": "blocked"}
CAUSE = "cleared_early"

if __name__ == "__main__":
    train()
