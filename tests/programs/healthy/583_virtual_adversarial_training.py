"""Virtual adversarial training: a throw-away backward finds the direction, the model's gradients are cleared, then the
real one follows. Origin: Miyato et al. 2018, as it is usually implemented."""
import torch
from torch import nn
import torch.nn.functional as F


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 10), nn.BatchNorm1d(10), nn.LeakyReLU(), nn.Linear(10, 3))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(8, 4), torch.randint(0, 3, (8,)), torch.randn(16, 4))


def divergence(model, x, pred, d):
    return F.kl_div(F.log_softmax(model(x + d), 1), pred, reduction="batchmean")


def vat(model, x, xi=1e-1, eps=0.5):
    with torch.no_grad():
        pred = F.softmax(model(x), 1)
    d = F.normalize(torch.randn_like(x), dim=1)
    d.requires_grad_()
    divergence(model, x, pred, xi * d).backward()
    d = F.normalize(d.grad, dim=1)
    model.zero_grad()
    return divergence(model, x, pred, eps * d)


def loss_fn(model, batch):
    x, y, u = batch
    extra = vat(model, u)
    return F.cross_entropy(model(x), y) + extra


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = dict.fromkeys((name for name, _ in make()[0].named_parameters()), "trained")
EXPECT.pop("0.bias")  # before a batch norm: rounding noise
INTENT = {"0.bias": "before a batch norm"}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
