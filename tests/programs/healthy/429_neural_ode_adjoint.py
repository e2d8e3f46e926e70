"""Healthy: the adjoint method: a custom Function integrates without a graph, and its backward makes the parameters' gradients itself."""
import torch
from torch import nn


class Adjoint(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z0, field, steps, *params):
        with torch.no_grad():
            z, h = z0, 1.0 / steps
            for _ in range(steps):
                z = z + h * field(z)
        ctx.field, ctx.steps, ctx.params = field, steps, params
        ctx.save_for_backward(z)
        return z

    @staticmethod
    def backward(ctx, grad):
        (z,), h = ctx.saved_tensors, 1.0 / ctx.steps
        a, grads = grad, [torch.zeros_like(p) for p in ctx.params]
        for _ in range(ctx.steps):
            with torch.enable_grad():
                leaf = z.detach().requires_grad_(True)
                f = ctx.field(leaf)
                da, *dp = torch.autograd.grad(f, (leaf, *ctx.params), a)
            z = z - h * f.detach()
            a = a + h * da
            grads = [g + h * d for g, d in zip(grads, dp)]
        return a, None, None, *grads


class NeuralODE(nn.Module):
    def __init__(self):
        super().__init__()
        self.field = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 3))
        self.readout = nn.Linear(3, 2)

    def forward(self, x):
        return self.readout(Adjoint.apply(x, self.field, 4, *self.field.parameters()))


def make():
    torch.manual_seed(0)
    model = NeuralODE()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(9, 3), torch.randint(0, 2, (9,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


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


KIND = "healthy"
EXPECT = {n: "trained" for n in ("field.0.weight", "field.0.bias", "field.2.weight", "field.2.bias", "readout.weight", "readout.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
