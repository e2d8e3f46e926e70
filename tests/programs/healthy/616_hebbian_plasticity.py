"""Differentiable plasticity: a Hebbian trace lives through an episode as state, its learning rate and its per-connection
weights are trained through it; the trace is detached between episodes. Origin: Miconi et al. 2018."""
import torch
from torch import nn


class Plastic(nn.Module):
    def __init__(self, n=8):
        super().__init__()
        self.w = nn.Parameter(0.01 * torch.randn(n, n))
        self.alpha = nn.Parameter(0.01 * torch.randn(n, n))
        self.eta = nn.Parameter(torch.tensor(0.01))

    def forward(self, inputs):
        y = torch.zeros(1, len(self.w))
        trace = torch.zeros_like(self.w)
        for x in inputs:
            y_new = torch.tanh(y @ (self.w + self.alpha * trace) + x)
            trace = (1 - self.eta) * trace + self.eta * y.t() @ y_new
            y = y_new
        return y


def make():
    torch.manual_seed(0)
    model = Plastic()
    patterns = torch.randint(0, 2, (6, 1, 8)).float() * 2 - 1
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), patterns


def loss_fn(model, patterns):
    probe = patterns[:1] * (torch.arange(8) < 4)
    return (model(torch.cat([patterns, probe])) - patterns[0]).square().sum()


def train(steps=4):
    model, optimizer, patterns = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, patterns)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = dict.fromkeys(("w", "alpha", "eta"), "trained")
CAUSE = "healthy"

if __name__ == "__main__":
    train()
