"""A neural ODE with a hand-written adjoint: the Function's backward integrates back and accumulates the parameters' gradients by calling
backward on recomputed steps.
Origin: Chen et al. 2018, in small."""
import torch
from torch import nn


class Adjoint(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, field, steps, *parameters):
        ctx.field, ctx.steps = field, steps
        states = [z.detach()]
        for _ in range(steps):
            states.append(states[-1] + field(states[-1]) / steps)
        ctx.states = states
        return states[-1].clone()

    @staticmethod
    def backward(ctx, grad):
        parameters = tuple(ctx.field.parameters())
        total = [torch.zeros_like(p) for p in parameters]
        for z in reversed(ctx.states[:-1]):
            with torch.enable_grad():
                z = z.detach().requires_grad_()
                out = z + ctx.field(z) / ctx.steps
                grads = torch.autograd.grad(out, (z, *parameters), grad)
            grad, total = grads[0], [t + g for t, g in zip(total, grads[1:])]
        return (grad, None, None, *total)


class NODE(nn.Module):
    def __init__(self, d=4):
        super().__init__()
        self.inp = nn.Linear(3, d)
        self.field = nn.Sequential(nn.Linear(d, 6), nn.Tanh(), nn.Linear(6, d))
        self.out = nn.Linear(d, 1)

    def forward(self, x):
        z = Adjoint.apply(self.inp(x), self.field, 4, *self.field.parameters())
        return self.out(z)


def make():
    torch.manual_seed(0)
    model = NODE()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(9, 3), torch.randn(9, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


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
EXPECT = {
    "inp.weight": "trained",
    "inp.bias": "trained",
    "field.0.weight": "trained",
    "field.0.bias": "trained",
    "field.2.weight": "trained",
    "field.2.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
