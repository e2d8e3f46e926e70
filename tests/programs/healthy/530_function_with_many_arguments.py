"""A custom Function with non-tensor arguments, gradients that are None where none is needed, by needs_input_grad, and one that is only used
with a detached statistic beside it.
Origin: extending-autograd notes."""
import torch
from torch import nn


class Affine(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, eps, mode):
        spread = x.detach().std(0, keepdim=True) + eps
        ctx.save_for_backward(x, weight, spread)
        ctx.mode = mode
        return x / spread * weight + (bias if bias is not None else 0)

    @staticmethod
    def backward(ctx, grad):
        x, weight, spread = ctx.saved_tensors
        dx = dw = db = None
        if ctx.needs_input_grad[0]:
            dx = grad * weight / spread
        if ctx.needs_input_grad[1]:
            dw = (grad * x / spread).sum(0)
        if ctx.needs_input_grad[2]:
            db = grad.sum(0)
        return dx, dw, db, None, None


class Scale(nn.Module):
    def __init__(self, d, bias=True):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d))
        self.bias = nn.Parameter(torch.zeros(d)) if bias else None

    def forward(self, x):
        return Affine.apply(x, self.weight, self.bias, 1e-3, "train" if self.training else "eval")


def make():
    torch.manual_seed(0)
    model = nn.Sequential(Scale(4), nn.Linear(4, 7), Scale(7, bias=False), nn.ReLU(), nn.Linear(7, 2))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(12, 4), torch.randint(0, 2, (12,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


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


KIND = "healthy"
EXPECT = {
    "0.weight": "trained",
    "0.bias": "trained",
    "1.weight": "trained",
    "1.bias": "trained",
    "2.weight": "trained",
    "4.weight": "trained",
    "4.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
