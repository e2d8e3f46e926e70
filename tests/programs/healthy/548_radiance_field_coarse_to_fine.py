"""A radiance field, coarse and fine: the fine samples are drawn from the coarse weights without gradient, both renderings have a loss, the last
interval is infinite.
Origin: NeRF, reduced."""
import torch
from torch import nn
import torch.nn.functional as F


class Field(nn.Module):
    def __init__(self, h=16):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(6, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU())
        self.sigma, self.rgb = nn.Linear(h, 1), nn.Linear(h + 3, 3)

    def forward(self, p, d):
        h = self.trunk(torch.cat([p.sin(), p.cos()], -1))
        return F.softplus(self.sigma(h) - 0.5).squeeze(-1), self.rgb(torch.cat([h, d.expand_as(p)], -1)).sigmoid()


def render(field, origin, direction, depth):
    sigma, rgb = field(origin[:, None] + depth[..., None] * direction[:, None], direction[:, None])
    delta = torch.cat([depth[:, 1:] - depth[:, :-1], torch.full_like(depth[:, :1], 1e10)], 1)
    alpha = 1 - torch.exp(-sigma * delta)
    weight = alpha * torch.cumprod(torch.cat([torch.ones_like(alpha[:, :1]), 1 - alpha + 1e-10], 1), 1)[:, :-1]
    return (weight[..., None] * rgb).sum(1), weight


class NeRF(nn.Module):
    def __init__(self):
        super().__init__()
        self.coarse, self.fine = Field(), Field()

    def forward(self, origin, direction):
        depth = (torch.linspace(2, 6, 6) + 0.3 * torch.rand(len(origin), 6)).sort(-1).values
        first, weight = render(self.coarse, origin, direction, depth)
        with torch.no_grad():
            more = depth.gather(1, torch.multinomial(weight + 1e-5, 4, replacement=True)) + 0.1 * torch.rand(len(origin), 4)
            both = torch.cat([depth, more], 1).sort(-1).values
        return first, render(self.fine, origin, direction, both)[0]


def make():
    torch.manual_seed(0)
    model = NeRF()
    return model, torch.optim.Adam(model.parameters(), lr=5e-4), (torch.zeros(6, 3), F.normalize(torch.randn(6, 3), dim=-1), torch.rand(6, 3))


def loss_fn(model, batch):
    origin, direction, colour = batch
    coarse, fine = model(origin, direction)
    return F.mse_loss(coarse, colour) + F.mse_loss(fine, colour)


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


KIND = "healthy"
EXPECT = {
    "coarse.trunk.0.weight": "trained",
    "coarse.trunk.0.bias": "trained",
    "coarse.trunk.2.weight": "trained",
    "coarse.trunk.2.bias": "trained",
    "coarse.sigma.weight": "trained",
    "coarse.sigma.bias": "trained",
    "coarse.rgb.weight": "trained",
    "coarse.rgb.bias": "trained",
    "fine.trunk.0.weight": "trained",
    "fine.trunk.0.bias": "trained",
    "fine.trunk.2.weight": "trained",
    "fine.trunk.2.bias": "trained",
    "fine.sigma.weight": "trained",
    "fine.sigma.bias": "trained",
    "fine.rgb.weight": "trained",
    "fine.rgb.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
