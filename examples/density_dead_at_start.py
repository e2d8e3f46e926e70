"""A radiance field whose density goes through a ReLU: with this seed it is 0 everywhere at the start, and stays so."""

import sys

import torch
from torch import nn

torch.manual_seed(int(sys.argv[1]) if len(sys.argv) > 1 else 0)


class Field(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(15, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.density = nn.Linear(width, 1)
        self.colour = nn.Linear(width, 3)

    def forward(self, points):
        angles = torch.cat([points * 2.0**k for k in range(2)], dim=-1)
        hidden = self.body(torch.cat([points, angles.sin(), angles.cos()], dim=-1))
        density = torch.relu(self.density(hidden)).squeeze(-1)  # <- the defect
        return density, torch.sigmoid(self.colour(hidden))


def render(field, origins, directions, samples=16):
    depths = torch.linspace(0.5, 2.0, samples)
    points = origins[:, None] + directions[:, None] * depths[:, None]
    density, colour = field(points)
    opacity = 1 - torch.exp(-density * (depths[1] - depths[0]))
    clear = torch.cumprod(torch.cat([torch.ones(len(opacity), 1), 1 - opacity[:, :-1]], dim=-1), dim=-1)
    return ((clear * opacity)[..., None] * colour).sum(dim=1)


field = Field()
optimizer = torch.optim.Adam(field.parameters(), lr=5e-4)
origins = torch.zeros(64, 3)
directions = nn.functional.normalize(torch.randn(64, 3), dim=-1)
pixels = torch.rand(64, 3)

for step in range(8):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(render(field, origins, directions), pixels)
    loss.backward()
    optimizer.step()
    print(f"step {step}: loss {loss.item():.6f}")
