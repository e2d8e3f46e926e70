"""Cosine classifier: to keep the prototypes at unit length, forward puts a new nn.Parameter in their place. The optimizer goes on
with the first one.
Origin: "nn.Parameter inside forward, weights do not update" threads; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class CosineHead(nn.Module):
    def __init__(self, d, classes, scale=10.0):
        super().__init__()
        self.prototypes = nn.Parameter(torch.randn(classes, d))
        self.scale = scale

    def forward(self, x):
        self.prototypes = nn.Parameter(F.normalize(self.prototypes, dim=1))  # <-- culprit
        return self.scale * F.normalize(x, dim=1) @ self.prototypes.t()


def make_model(d=6, classes=4):
    return nn.Sequential(nn.Linear(d, 12), nn.LayerNorm(12), nn.ReLU(), CosineHead(12, classes))


def make():
    torch.manual_seed(0)
    model = make_model()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    return model, optimizer, (torch.randn(16, 6), torch.randint(0, 4, (16,)))


def loss_fn(model, batch):
    x, y = batch
    return F.cross_entropy(model(x), y)


def one_epoch(model, optimizer, loader):
    total = 0.0
    for batch in loader:
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)


def train(steps=3):
    model, optimizer, batch = make()
    return model, [one_epoch(model, optimizer, [batch]) for _ in range(steps)]


KIND = "forward"
EXPECT = {
    "0.weight": "trained",
    "0.bias": "trained",
    "1.weight": "trained",
    "1.bias": "trained",
    "3.prototypes": "replaced",
}
CAUSE = "reassigned"

if __name__ == "__main__":
    train()
