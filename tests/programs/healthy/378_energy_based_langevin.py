"""Energy-based model: Langevin samples by autograd on the input, parameters frozen meanwhile. Origin: EBM tutorials."""
import torch
from torch import nn
import torch.nn.functional as F


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 8), nn.SiLU(), nn.Linear(8, 1, bias=False))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), torch.randn(16, 2) + 1


def sample(model, like, steps=4):
    was = [p.requires_grad for p in model.parameters()]
    for p in model.parameters():
        p.requires_grad = False
    x = torch.randn_like(like).requires_grad_(True)
    for _ in range(steps):
        model(x).sum().backward()
        x.data.add_(-0.1 * x.grad + 0.05 * torch.randn_like(x))
        x.grad.detach_()
        x.grad.zero_()
    for p, w in zip(model.parameters(), was):
        p.requires_grad = w
    return x.detach()


def loss_fn(model, real):
    fake = sample(model, real)
    er, ef = model(real), model(fake)
    return (er - ef).mean() + 0.1 * (er ** 2 + ef ** 2).mean()


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
    "0.weight": "trained",
    "0.bias": "trained",
    "2.weight": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
