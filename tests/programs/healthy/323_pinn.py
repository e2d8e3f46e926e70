"""Physics-informed net: inputs need gradients, second derivatives, learned coefficient. Origin: PINN tutorials."""
import torch
from torch import nn
import torch.nn.functional as F


class PINN(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(1, 10), nn.Tanh(), nn.Linear(10, 1))
        self.k = nn.Parameter(torch.tensor(1.0))


def make():
    torch.manual_seed(0)
    m = PINN()
    x = torch.linspace(0, 1, 12)[:, None].requires_grad_(True)
    return m, torch.optim.Adam(m.parameters(), lr=1e-2), (x, torch.zeros(1, 1))


def loss_fn(m, b):
    x, x0 = b
    u = m.net(x)
    du = torch.autograd.grad(u.sum(), x, create_graph=True)[0]
    ddu = torch.autograd.grad(du.sum(), x, create_graph=True)[0]
    return (ddu + m.k * u).pow(2).mean() + (m.net(x0) - 1).pow(2).mean()


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


KIND = "healthy"
EXPECT = {
    "k": "trained",
    "net.0.weight": "trained",
    "net.0.bias": "trained",
    "net.2.weight": "trained",
    "net.2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
