"""Equilibrium propagation: states relax by autograd on an energy, gradients are the difference of two phases divided by the
nudge, written into `.grad`. Origin: Scellier & Bengio 2017. NEEDS_LOOP"""
import torch
from torch import nn


class Energy(nn.Module):
    def __init__(self, sizes=(4, 8, 2)):
        super().__init__()
        self.weights = nn.ParameterList(nn.Parameter(0.3 * torch.randn(a, b)) for a, b in zip(sizes, sizes[1:]))
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(n)) for n in sizes[1:])

    def forward(self, x, states):
        layers = [x, *(s.clamp(0, 1) for s in states)]
        energy = sum(0.5 * s.square().sum(1) for s in states)
        for w, below, above in zip(self.weights, layers, layers[1:]):
            energy = energy - ((below @ w) * above).sum(1)
        return energy - sum((layer @ b) for b, layer in zip(self.biases, layers[1:]))


def make():
    torch.manual_seed(0)
    model = Energy()
    x = torch.rand(12, 4)
    return model, torch.optim.SGD(model.parameters(), lr=0.2), (x, torch.stack([x[:, 0], 1 - x[:, 1]], 1))


def loss_fn(model, batch):
    return model(batch[0], [torch.full((12, 8), 0.5), batch[1]]).mean()


def relax(model, x, states, y=None, beta=0.0, steps=15):
    for _ in range(steps):
        states = [s.detach().requires_grad_() for s in states]
        total = model(x, states).sum()
        if beta:
            total = total + beta * 0.5 * (states[-1] - y).square().sum()
        grads = torch.autograd.grad(total, states)
        states = [(s - 0.2 * g).clamp(0, 1) for s, g in zip(states, grads)]
    return [s.detach() for s in states]


def train(steps=4, beta=0.5):
    model, optimizer, (x, y) = make()
    parameters = list(model.parameters())
    losses = []
    for _ in range(steps):
        free = relax(model, x, [torch.full((12, 8), 0.5), torch.full((12, 2), 0.5)])
        nudged = relax(model, x, free, y, beta, steps=5)
        up = torch.autograd.grad(model(x, nudged).mean(), parameters)
        down = torch.autograd.grad(model(x, free).mean(), parameters)
        for p, a, b in zip(parameters, up, down):
            p.grad = (a - b) / beta
        optimizer.step()
        losses.append((free[-1] - y).square().mean().item())
    return model, losses


KIND = "healthy"
EXPECT = {"weights.0": "trained", "weights.1": "trained", "biases.0": "trained", "biases.1": "trained"}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
