"""Affine coupling layers with a chequered mask. The remainder is taken by 1 instead of 2: every coordinate passes unchanged.
Origin: a RealNVP written for a course; retold."""
import torch
from torch import nn


class Coupling(nn.Module):
    def __init__(self, d, parity):
        super().__init__()
        mask = ((torch.arange(d) + parity) % 1 == 0).float()  # <-- culprit
        self.register_buffer("mask", mask)
        self.s = nn.Sequential(nn.Linear(d, 8), nn.Tanh(), nn.Linear(8, d))
        self.t = nn.Sequential(nn.Linear(d, 8), nn.Tanh(), nn.Linear(8, d))

    def forward(self, x):
        kept = x * self.mask
        s, t = self.s(kept) * (1 - self.mask), self.t(kept) * (1 - self.mask)
        return kept + (1 - self.mask) * (x * s.exp() + t), s.sum(-1)


class Flow(nn.Module):
    def __init__(self, d=4, n=3):
        super().__init__()
        self.layers = nn.ModuleList(Coupling(d, i % 2) for i in range(n))
        self.shift, self.log_scale = nn.Parameter(torch.zeros(d)), nn.Parameter(torch.zeros(d))

    def log_prob(self, x):
        log_det = self.log_scale.sum()
        for layer in self.layers:
            x, ld = layer(x)
            log_det = log_det + ld
        z = x * self.log_scale.exp() + self.shift
        return -0.5 * z.square().sum(-1) + log_det


def make():
    torch.manual_seed(0)
    flow = Flow()
    return flow, torch.optim.Adam(flow.parameters(), lr=1e-3), torch.randn(32, 4) * 2 + 1


def loss_fn(flow, x):
    return -flow.log_prob(x).mean()


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
    "shift": "trained",
    "log_scale": "trained",
    "layers.0.s.0.weight": "blocked",
    "layers.0.s.0.bias": "blocked",
    "layers.0.s.2.weight": "blocked",
    "layers.0.s.2.bias": "blocked",
    "layers.0.t.0.weight": "blocked",
    "layers.0.t.0.bias": "blocked",
    "layers.0.t.2.weight": "blocked",
    "layers.0.t.2.bias": "blocked",
    "layers.1.s.0.weight": "blocked",
    "layers.1.s.0.bias": "blocked",
    "layers.1.s.2.weight": "blocked",
    "layers.1.s.2.bias": "blocked",
    "layers.1.t.0.weight": "blocked",
    "layers.1.t.0.bias": "blocked",
    "layers.1.t.2.weight": "blocked",
    "layers.1.t.2.bias": "blocked",
    "layers.2.s.0.weight": "blocked",
    "layers.2.s.0.bias": "blocked",
    "layers.2.s.2.weight": "blocked",
    "layers.2.s.2.bias": "blocked",
    "layers.2.t.0.weight": "blocked",
    "layers.2.t.0.bias": "blocked",
    "layers.2.t.2.weight": "blocked",
    "layers.2.t.2.bias": "blocked",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
