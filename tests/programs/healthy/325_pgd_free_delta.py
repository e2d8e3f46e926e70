"""Free adversarial training: one backward serves both the weights and a persistent perturbation updated by hand. Origin: Free-AT."""
import torch
from torch import nn
import torch.nn.functional as F


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 10), nn.ReLU(), nn.Linear(10, 3))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(12, 6), torch.randint(0, 3, (12,)))


def loss_fn(model, b):
    return F.cross_entropy(model(b[0]), b[1])


def train(steps=4, eps=0.2):
    model, optimizer, (x, y) = make()
    delta = torch.zeros_like(x, requires_grad=True)
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, (x + delta, y))
        optimizer.zero_grad()
        loss.backward()
        delta.data = (delta + eps * delta.grad.sign()).clamp(-eps, eps).data
        delta.grad.zero_()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "0.weight": "trained",
    "0.bias": "trained",
    "2.weight": "trained",
    "2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
