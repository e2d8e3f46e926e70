"""A mixture of experts. The first batch sends nothing to one of them: `continue` skips it, as it should. Later batches do.
Origin: sparse mixtures of experts everywhere; retold."""

import torch
from torch import nn
import torch.nn.functional as F


class Mixture(nn.Module):
    def __init__(self, d=6, experts=3):
        super().__init__()
        self.gate = nn.Linear(d, experts)
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(d, 8), nn.GELU(), nn.Linear(8, d)) for _ in range(experts))
        self.out = nn.Linear(d, 2)

    def forward(self, x):
        weights = self.gate(x).softmax(-1)
        chosen = weights.argmax(-1)
        y = torch.zeros_like(x)
        for e in range(len(self.experts)):
            rows = torch.where(chosen == e)[0]
            if len(rows) == 0:
                continue
            y[rows] = self.experts[e](x[rows]) * weights[rows, e, None]
        return self.out(y)


def make():
    torch.manual_seed(0)
    model = Mixture()
    with torch.no_grad():
        model.gate.weight.zero_()
        model.gate.weight[:, 0] = torch.tensor([4.0, -4.0, 0.0])
        model.gate.bias.copy_(torch.tensor([0.0, 0.0, -2.0]))
    x = torch.randn(12, 6)
    x[:, 0] = torch.where(x[:, 0] > 0, 2.0, -2.0)
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (x, torch.randint(0, 2, (12,)))


def loss_fn(model, batch):
    x, y = batch
    return F.cross_entropy(model(x), y)


def train(steps=6):
    model, optimizer, (x, y) = make()
    losses = []
    for step in range(steps):
        own = x.clone()
        own[: 4 * (step % 2), 0] = 0.0
        with torch.no_grad():
            model.gate.bias[2] = 2.0 if step % 2 else -2.0
        optimizer.zero_grad()
        loss = loss_fn(model, (own, y))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {"gate.weight": "trained", "out.weight": "trained"} | {
    f"experts.{e}.{n}": "trained" for e in range(3) for n in ("0.weight", "0.bias", "2.weight", "2.bias")
}

if __name__ == "__main__":
    train()
