"""A custom Function returns the rounded values and, for the log, the rounding error. The wrong one of the two is marked as not
differentiable.
Origin: extending-autograd question; retold."""
import torch
from torch import nn


class RoundWithError(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        rounded = x.round()
        error = (x - rounded).abs()
        ctx.mark_non_differentiable(rounded)  # <-- culprit
        return rounded, error

    @staticmethod
    def backward(ctx, grad_rounded, grad_error):
        return grad_rounded


class Codec(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc, self.dec = nn.Linear(6, 3), nn.Linear(3, 6)
        self.last_error = None

    def forward(self, x):
        code, error = RoundWithError.apply(4 * torch.tanh(self.enc(x)))
        self.last_error = error.mean().item()
        return self.dec(code)


def make():
    torch.manual_seed(0)
    model = Codec()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), torch.randn(16, 6)


def loss_fn(model, x):
    return nn.functional.mse_loss(model(x), x)


def train(steps=3):
    model, optimizer, batch = make()
    curve = []
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        optimizer.zero_grad()
        curve.append(loss.item())
    return model, curve


KIND = "forward"
EXPECT = {
    "enc.weight": "unreachable",
    "enc.bias": "unreachable",
    "dec.weight": "trained",
    "dec.bias": "trained",
}
CAUSE = "custom_function"

if __name__ == "__main__":
    train()
