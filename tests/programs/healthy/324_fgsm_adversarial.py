"""FGSM adversarial training: a backward for the inputs first, whose weight gradients are cleared. Origin: FGSM."""
import torch
from torch import nn
import torch.nn.functional as F


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 10), nn.ReLU(), nn.Linear(10, 3))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(12, 6), torch.randint(0, 3, (12,)))


def loss_fn(model, b):
    return F.cross_entropy(model(b[0]), b[1])


def train(steps=3, eps=0.1):
    model, optimizer, (x, y) = make()
    losses = []
    for _ in range(steps):
        x_adv = x.clone().detach().requires_grad_(True)
        attack = F.cross_entropy(model(x_adv), y)
        attack.backward()
        x_adv = (x_adv + eps * x_adv.grad.sign()).detach()
        optimizer.zero_grad()
        loss = loss_fn(model, (x_adv, y))
        loss.backward()
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
