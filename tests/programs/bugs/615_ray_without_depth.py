"""A radiance field. The samples of a ray are to lie between near and far; linspace gets near twice, the intervals are empty, and every
opacity is zero.
Origin: a small NeRF, "renders black for ever"; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class Field(nn.Module):
    def __init__(self, bands=3, h=16):
        super().__init__()
        self.bands = bands
        self.trunk = nn.Sequential(nn.Linear(6 * bands, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU())
        self.sigma, self.rgb = nn.Linear(h, 1), nn.Linear(h, 3)

    def forward(self, p):
        scaled = torch.cat([p * 2**i for i in range(self.bands)], -1)
        h = self.trunk(torch.cat([scaled.sin(), scaled.cos()], -1))
        return F.softplus(self.sigma(h)).squeeze(-1), self.rgb(h).sigmoid()


def render(field, origin, direction, near=2.0, far=6.0, samples=8):
    depth = torch.linspace(near, near, samples)  # <-- culprit
    points = origin[:, None] + depth[:, None] * direction[:, None]
    sigma, rgb = field(points)
    delta = torch.cat([depth[1:] - depth[:-1], torch.zeros(1)])
    alpha = 1 - torch.exp(-sigma * delta)
    clear = torch.cumprod(torch.cat([torch.ones_like(alpha[:, :1]), 1 - alpha[:, :-1]], 1), 1)
    return ((alpha * clear)[..., None] * rgb).sum(1)


def make():
    torch.manual_seed(0)
    field = Field()
    batch = (torch.zeros(5, 3), F.normalize(torch.randn(5, 3), dim=-1), torch.rand(5, 3))
    return field, torch.optim.Adam(field.parameters(), lr=5e-4), batch


def loss_fn(field, batch):
    origin, direction, colour = batch
    return (render(field, origin, direction) - colour).square().mean()


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


KIND = "forward"
EXPECT = {
    "trunk.0.weight": "blocked",
    "trunk.0.bias": "blocked",
    "trunk.2.weight": "blocked",
    "trunk.2.bias": "blocked",
    "sigma.weight": "blocked",
    "sigma.bias": "blocked",
    "rgb.weight": "blocked",
    "rgb.bias": "blocked",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
