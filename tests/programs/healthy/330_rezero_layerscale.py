"""ReZero gates at exactly 0 and LayerScale at 1e-6; zero-init residual batch norm. Origin: ReZero, CaiT, ResNet tricks."""
import torch
from torch import nn
import torch.nn.functional as F


class Block(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.a, self.b = nn.Linear(d, d), nn.Linear(d, d)
        self.gate = nn.Parameter(torch.zeros(1))
        self.gamma = nn.Parameter(1e-6 * torch.ones(d))
        self.norm = nn.BatchNorm1d(d)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x):
        x = x + self.gate * torch.tanh(self.a(x))
        x = x + self.gamma * torch.tanh(self.b(x))
        return x + self.norm(torch.sin(x))


def make():
    torch.manual_seed(0)
    model = nn.Sequential(Block(), Block(), nn.Linear(6, 2))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 6), torch.randint(0, 2, (12,)))


def loss_fn(model, b):
    return F.cross_entropy(model(b[0]), b[1])


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
    "0.gate": "trained",
    "0.gamma": "trained",
    "0.a.weight": "trained",
    "0.a.bias": "trained",
    "0.b.weight": "trained",
    "0.b.bias": "trained",
    "0.norm.weight": "trained",
    "0.norm.bias": "trained",
    "1.gate": "trained",
    "1.gamma": "trained",
    "1.a.weight": "trained",
    "1.a.bias": "trained",
    "1.b.weight": "trained",
    "1.b.bias": "trained",
    "1.norm.weight": "trained",
    "1.norm.bias": "trained",
    "2.weight": "trained",
    "2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
