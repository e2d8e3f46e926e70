"""Healthy: the prototypes are normalised before each forward, and their gradients are dropped for the first steps. NEEDS_LOOP"""
import torch
from torch import nn
import torch.nn.functional as F


class SwAV(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(6, 10), nn.ReLU(), nn.Linear(10, 4))
        self.prototypes = nn.Linear(4, 7, bias=False)

    def forward(self, x):
        z = F.normalize(self.encoder(x), dim=1)
        return self.prototypes(z)


@torch.no_grad()
def sinkhorn(scores, rounds=3):
    q = torch.exp(scores / 0.1).t()
    q /= q.sum()
    for _ in range(rounds):
        q /= q.sum(1, keepdim=True) * q.size(0)
        q /= q.sum(0, keepdim=True) * q.size(1)
    return (q * q.size(1)).t()


def make():
    torch.manual_seed(0)
    model = SwAV()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), torch.randn(14, 6)


def loss_fn(model, x):
    a, b = (model(x + 0.1 * torch.randn_like(x)) for _ in range(2))
    return -0.5 * ((sinkhorn(a) * F.log_softmax(b / 0.1, 1)).sum(1) + (sinkhorn(b) * F.log_softmax(a / 0.1, 1)).sum(1)).mean()


def train(steps=8, freeze=4):
    model, optimizer, x = make()
    losses = []
    for step in range(steps):
        with torch.no_grad():
            model.prototypes.weight.copy_(F.normalize(model.prototypes.weight.clone(), dim=1))
        loss = loss_fn(model, x)
        optimizer.zero_grad()
        loss.backward()
        if step < freeze:
            for p in model.prototypes.parameters():
                p.grad = None
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("encoder.0.weight", "encoder.0.bias", "encoder.2.weight", "encoder.2.bias", "prototypes.weight")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
