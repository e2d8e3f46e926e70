"""Healthy: synthetic examples and a learnt inner rate are trained through a network that is drawn anew in each round and never itself
optimised. NEEDS_LOOP"""
import torch
from torch import nn
from torch.func import functional_call


class Synthetic(nn.Module):
    def __init__(self, n=6, d=4, classes=3):
        super().__init__()
        self.x = nn.Parameter(torch.randn(n, d))
        self.log_rate = nn.Parameter(torch.tensor(-2.0))
        self.register_buffer("y", torch.arange(n) % classes)


def make():
    torch.manual_seed(0)
    data = Synthetic()
    return data, torch.optim.Adam(data.parameters(), lr=1e-2), (torch.randn(15, 4), torch.randint(0, 3, (15,)))


def loss_fn(data, batch):
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    params = dict(net.named_parameters())
    inner = nn.functional.cross_entropy(functional_call(net, params, (data.x,)), data.y)
    grads = torch.autograd.grad(inner, list(params.values()), create_graph=True)
    fast = {n: p.detach() - data.log_rate.exp() * g for (n, p), g in zip(params.items(), grads)}
    return nn.functional.cross_entropy(functional_call(net, fast, (batch[0],)), batch[1])


def train(steps=4):
    data, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(data, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return data, losses


KIND = "healthy"
EXPECT = {"x": "trained", "log_rate": "trained"}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
