"""A hand-written linear Function asks needs_input_grad for every gradient, to save work. The weight is input 1, but the question is
asked of input 0, the images, which never need a gradient.
Origin: "custom Function, weight.grad is None in the first layer only" questions; retold."""
import torch
from torch import nn


class FastLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias):
        ctx.save_for_backward(x, weight)
        return x @ weight.t() + bias

    @staticmethod
    def backward(ctx, grad):
        x, weight = ctx.saved_tensors
        grad_x = grad_w = grad_b = None
        if ctx.needs_input_grad[0]:  # <-- culprit
            grad_x = grad @ weight
            grad_w = grad.t() @ x
        if ctx.needs_input_grad[2]:
            grad_b = grad.sum(0)
        return grad_x, grad_w, grad_b


class Fast(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(o, i) / i**0.5)
        self.bias = nn.Parameter(torch.zeros(o))

    def forward(self, x):
        return FastLinear.apply(x, self.weight, self.bias)


def make():
    torch.manual_seed(0)
    model = nn.Sequential(Fast(9, 12), nn.LeakyReLU(), Fast(12, 4))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.rand(10, 9), torch.randint(0, 4, (10,)))


def loss_fn(model, batch):
    images, labels = batch
    return nn.functional.cross_entropy(model(images), labels)


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "forward"
EXPECT = {"0.weight": "unreachable", "0.bias": "trained", "2.weight": "trained", "2.bias": "trained"}
CAUSE = "custom_function"

if __name__ == "__main__":
    train()
