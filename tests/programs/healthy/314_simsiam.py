"""SimSiam: symmetric loss, stop-gradient on z. Origin: SimSiam."""
import torch
from torch import nn
import torch.nn.functional as F


class SimSiam(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(6, 10), nn.ReLU(), nn.Linear(10, 4))
        self.h = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 4))

    def forward(self, a, b):
        za, zb = self.f(a), self.f(b)
        pa, pb = self.h(za), self.h(zb)
        d = lambda p, z: -F.cosine_similarity(p, z.detach(), dim=1).mean()
        return d(pa, zb) / 2 + d(pb, za) / 2


def make():
    torch.manual_seed(0)
    model = SimSiam()
    x = torch.randn(9, 6)
    return model, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4), (x, x + 0.1 * torch.randn(9, 6))


def loss_fn(model, batch):
    return model(*batch)


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
    "f.0.weight": "trained",
    "f.0.bias": "trained",
    "f.2.weight": "trained",
    "f.2.bias": "trained",
    "h.0.weight": "trained",
    "h.0.bias": "trained",
    "h.2.weight": "trained",
    "h.2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
