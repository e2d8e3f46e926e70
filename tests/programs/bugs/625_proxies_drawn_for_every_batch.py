"""Proxy-based metric learning. The model has a criterion with proxies; the training step makes a new criterion each time.
Origin: code review; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class ProxyNCA(nn.Module):
    def __init__(self, classes, d):
        super().__init__()
        self.proxies = nn.Parameter(torch.randn(classes, d))

    def forward(self, z, y):
        distance = torch.cdist(F.normalize(z, dim=-1), F.normalize(self.proxies, dim=-1)) ** 2
        return F.cross_entropy(-distance, y)


class Embedder(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(7, 12), nn.ReLU(), nn.Linear(12, 4))
        self.criterion = ProxyNCA(5, 4)

    def forward(self, x):
        return self.net(x)


def make():
    torch.manual_seed(0)
    model = Embedder()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(15, 7), torch.arange(15) % 5)


def loss_fn(model, batch):
    x, y = batch
    proxy_loss = ProxyNCA(5, 4)  # <-- culprit
    return proxy_loss(model(x), y)


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


KIND = "loss"
EXPECT = {
    "net.0.weight": "trained",
    "net.0.bias": "trained",
    "net.2.weight": "trained",
    "net.2.bias": "trained",
    "criterion.proxies": "unreachable",
}
CAUSE = "reassigned"

if __name__ == "__main__":
    train()
