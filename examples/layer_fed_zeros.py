"""A falling ball whose acceleration is a layer fed with zeros: its bias learns, its weight never does."""

import torch
from torch import nn

torch.manual_seed(0)


class Acceleration(nn.Module):
    def __init__(self):
        super().__init__()
        self.pull = nn.Linear(1, 1)
        self.scale = nn.Parameter(torch.tensor(10.0))

    def forward(self, velocity):
        still = torch.zeros_like(velocity)  # <- the defect
        return torch.tanh(self.pull(still)) * self.scale


class Ball(nn.Module):
    def __init__(self):
        super().__init__()
        self.height = nn.Parameter(torch.tensor([10.0]))
        self.velocity = nn.Parameter(torch.tensor([0.0]))
        self.acceleration = Acceleration()

    def forward(self, steps, dt):
        height, velocity, path = self.height, self.velocity, []
        for _ in range(steps):
            velocity = velocity + dt * self.acceleration(velocity)
            height = height + dt * velocity
            path.append(height)
        return torch.cat(path)


def observed(steps, dt):
    time = dt * torch.arange(1, steps + 1)
    return 10.0 - 0.5 * 9.81 * time**2


model = Ball()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
target = observed(20, 0.05)

for step in range(5):
    optimizer.zero_grad()
    loss = (model(20, 0.05) - target).square().mean()
    loss.backward()
    optimizer.step()
    print(f"step {step}: loss {loss.item():.4f}")
