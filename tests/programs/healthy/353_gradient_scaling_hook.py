"""A gradient-reversal Function for domain adaptation and a hook that halves a gradient. Origin: DANN."""
import torch
from torch import nn
import torch.nn.functional as F


class Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight):
        ctx.weight = weight
        return x.view_as(x)

    @staticmethod
    def backward(ctx, g):
        return -ctx.weight * g, None


class DANN(nn.Module):
    def __init__(self):
        super().__init__()
        self.f, self.label, self.domain = nn.Linear(5, 6), nn.Linear(6, 3), nn.Linear(6, 1)
        self.f.weight.register_hook(lambda g: g * 0.5)
        self.strength = 0.0

    def forward(self, x):
        h = torch.relu(self.f(x))
        return self.label(h), self.domain(Reverse.apply(h, self.strength))


def make():
    torch.manual_seed(0)
    m = DANN()
    return m, torch.optim.SGD(m.parameters(), lr=0.1), (torch.randn(8, 5), torch.randint(0, 3, (8,)), torch.rand(8, 1).round())


def loss_fn(m, b):
    y, d = m(b[0])
    return F.cross_entropy(y, b[1]) + F.binary_cross_entropy_with_logits(d, b[2])


def train(steps=4):
    m, optimizer, batch = make()
    losses = []
    for step in range(steps):
        m.strength = step / steps
        optimizer.zero_grad()
        loss = loss_fn(m, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return m, losses


KIND = "healthy"
EXPECT = {
    "f.weight": "trained",
    "f.bias": "trained",
    "label.weight": "trained",
    "label.bias": "trained",
    "domain.weight": "trained",
    "domain.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
