"""Layer-local learning: each layer has its own loss and optimizer, activations are detached between layers. Origin: Forward-Forward, greedy layer-wise training."""
import torch
from torch import nn
import torch.nn.functional as F


class Layer(nn.Linear):
    def goodness(self, x):
        h = torch.relu(F.linear(F.normalize(x, dim=1), self.weight, self.bias))
        return h.square().mean(1), h.detach()


class FF(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([Layer(6, 8), Layer(8, 8), Layer(8, 8)])


def make():
    torch.manual_seed(0)
    m = FF()
    return m, [torch.optim.Adam(l.parameters(), lr=1e-2) for l in m.layers], (torch.randn(8, 6), torch.randn(8, 6))


def local(layer, pos, neg):
    gp, hp = layer.goodness(pos)
    gn, hn = layer.goodness(neg)
    return F.softplus(torch.cat([0.5 - gp, gn - 0.5])).mean(), hp, hn


def loss_fn(m, b):
    pos, neg = b
    total = 0.0
    for layer in m.layers:
        loss, pos, neg = local(layer, pos, neg)
        total = total + loss
    return total


def train(steps=3):
    m, opts, (p, n) = make()
    losses = []
    for _ in range(steps):
        pos, neg = p, n
        for layer, opt in zip(m.layers, opts):
            loss, pos, neg = local(layer, pos, neg)
            opt.zero_grad()
            loss.backward()
            opt.step()
        losses.append(loss.item())
    return m, losses


KIND = "healthy"
EXPECT = {
    "layers.0.weight": "trained",
    "layers.0.bias": "trained",
    "layers.1.weight": "trained",
    "layers.1.bias": "trained",
    "layers.2.weight": "trained",
    "layers.2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
