"""The physical constants of a differentiable spring simulation are Parameters; the simulator takes a dataclass of floats. So
a method fills one.
Origin: parameter estimation with simulators, "gradient is None for my physical parameters"; retold."""
from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class Constants:
    stiffness: float
    damping: float
    dt: float = 0.05


def simulate(x, v, force, c, steps=8):
    path = []
    for _ in range(steps):
        a = force - c.stiffness * x - c.damping * v
        v = v + c.dt * a
        x = x + c.dt * v
        path.append(x)
    return torch.stack(path, dim=1)


class Spring(nn.Module):
    def __init__(self):
        super().__init__()
        self.stiffness = nn.Parameter(torch.tensor(2.0))
        self.damping = nn.Parameter(torch.tensor(0.1))
        self.motor = nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 1))

    def constants(self):
        return Constants(stiffness=float(self.stiffness), damping=float(self.damping))  # <-- culprit

    def forward(self, x, v):
        force = self.motor(torch.stack([x, v], dim=1)).squeeze(1)
        return simulate(x, v, force, self.constants())


def make():
    torch.manual_seed(0)
    spring = Spring()
    optimizer = torch.optim.Adam(spring.parameters(), lr=0.02)
    x, v = torch.randn(10), torch.randn(10)
    with torch.no_grad():
        observed = simulate(x, v, 0.3, Constants(3.0, 0.4))
    return spring, optimizer, (x, v, observed)


def loss_fn(spring, batch):
    x, v, observed = batch
    return (spring(x, v) - observed).abs().mean()


def train(steps=3):
    spring, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(spring, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return spring, losses


KIND = "forward"
EXPECT = {
    "stiffness": "unreachable",
    "damping": "unreachable",
    "motor.0.weight": "trained",
    "motor.0.bias": "trained",
    "motor.2.weight": "trained",
    "motor.2.bias": "trained",
}
CAUSE = "to_python"

if __name__ == "__main__":
    train()
