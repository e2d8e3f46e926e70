"""Healthy: DP-SGD by hand: a backward for each sample, its gradient clipped and added up, noise, and the sum written into `.grad`.
NEEDS_LOOP"""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2))
    return model, torch.optim.SGD(model.parameters(), lr=0.2), (torch.randn(6, 4), torch.randint(0, 2, (6,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def private_gradients(model, batch, clip=1.0, noise=0.1):
    params = list(model.parameters())
    total = [torch.zeros_like(p) for p in params]
    losses = []
    for x, y in zip(*batch):
        model.zero_grad()
        loss = loss_fn(model, (x[None], y[None]))
        loss.backward()
        norm = torch.stack([p.grad.norm() for p in params]).norm()
        for t, p in zip(total, params):
            t += p.grad * min(1.0, clip / (norm.item() + 1e-6))
        losses.append(loss.item())
    for t, p in zip(total, params):
        p.grad = (t + noise * clip * torch.randn_like(t)) / len(batch[0])
    return sum(losses) / len(losses)


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        losses.append(private_gradients(model, batch))
        optimizer.step()
    return model, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
