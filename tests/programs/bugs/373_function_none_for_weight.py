"""A custom linear function whose backward was taken from a fixed-weight example: it returns None for the weight.
Origin: "Extending PyTorch" tutorial variations; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class ScaledMatmul(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias):
        ctx.save_for_backward(x, weight)
        return x @ weight.t() * weight.shape[1] ** -0.5 + bias

    @staticmethod
    def backward(ctx, grad):
        x, weight = ctx.saved_tensors
        grad_x = grad @ weight * weight.shape[1] ** -0.5
        grad_bias = grad.sum(0)
        return grad_x, None, grad_bias  # <-- culprit


class ScaledLinear(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_out, n_in))
        self.bias = nn.Parameter(torch.zeros(n_out))

    def forward(self, x):
        return ScaledMatmul.apply(x, self.weight, self.bias)


def make():
    torch.manual_seed(0)
    model = nn.Sequential(ScaledLinear(6, 10), nn.ReLU(), ScaledLinear(10, 10), nn.ReLU(), nn.Linear(10, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    return model, optimizer, (torch.randn(16, 6), torch.randn(16, 1))


def loss_fn(model, batch):
    x, y = batch
    return F.mse_loss(model(x), y)


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


KIND = "forward"
EXPECT = {
    "0.weight": "unreachable",
    "0.bias": "trained",
    "2.weight": "unreachable",
    "2.bias": "trained",
    "4.weight": "trained",
    "4.bias": "trained",
}
CAUSE = "custom_function"

if __name__ == "__main__":
    train()
