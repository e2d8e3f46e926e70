"""Healthy: a small network for a differential equation: Adam first, then L-BFGS with a line search until it stalls."""
import torch
from torch import nn


class Field(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(1, 10), nn.Tanh(), nn.Linear(10, 1))
        self.rate = nn.Parameter(torch.tensor(0.5))

    def forward(self, t):
        return 1 + t * self.net(t)


def make():
    torch.manual_seed(0)
    model = Field()
    t = torch.linspace(0, 1, 24)[:, None]
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (t, torch.exp(-2 * t))


def loss_fn(model, batch):
    t = batch[0].clone().requires_grad_()
    y = model(t)
    (slope,) = torch.autograd.grad(y.sum(), t, create_graph=True)
    return (slope + model.rate * y).square().mean() + (y - batch[1]).square().mean()


def train():
    model, optimizer, batch = make()
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=5, tolerance_grad=1e-9, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad(set_to_none=False)
        loss = loss_fn(model, batch)
        loss.backward()
        return loss

    for _ in range(4):
        before = losses[-1]
        losses.append(optimizer.step(closure).item())
        if abs(before - losses[-1]) < 1e-9:
            break
    return model, losses


KIND = "healthy"
EXPECT = {"rate": "trained", **{f"net.{n}": "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
