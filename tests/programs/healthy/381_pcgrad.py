"""Gradient surgery: per-task gradients by autograd.grad, projected, written to p.grad. Origin: PCGrad."""
import torch
from torch import nn
import torch.nn.functional as F


class MT(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(5, 6)
        self.a, self.b = nn.Linear(6, 1), nn.Linear(6, 1)


def make():
    torch.manual_seed(0)
    m = MT()
    return m, torch.optim.Adam(m.parameters(), lr=1e-2), (torch.randn(8, 5), torch.randn(8, 1), torch.randn(8, 1))


def losses_of(m, batch):
    h = torch.tanh(m.body(batch[0]))
    return [F.mse_loss(m.a(h), batch[1]), F.mse_loss(m.b(h), batch[2])]


def loss_fn(m, batch):
    return sum(losses_of(m, batch))


def train(steps=3):
    m, optimizer, batch = make()
    params = list(m.parameters())
    out = []
    for _ in range(steps):
        losses = losses_of(m, batch)
        grads = [torch.autograd.grad(l, params, retain_graph=True, allow_unused=True) for l in losses]
        flat = [torch.cat([(g if g is not None else torch.zeros_like(p)).flatten() for g, p in zip(gs, params)]) for gs in grads]
        a, b = flat
        if torch.dot(a, b) < 0:
            a = a - torch.dot(a, b) / b.dot(b) * b
        total, at = a + b, 0
        optimizer.zero_grad()
        for p in params:
            p.grad = total[at:at + p.numel()].view_as(p).clone()
            at += p.numel()
        optimizer.step()
        out.append(sum(losses).item())
    return m, out


KIND = "healthy"
EXPECT = {
    "body.weight": "trained",
    "body.bias": "trained",
    "a.weight": "trained",
    "a.bias": "trained",
    "b.weight": "trained",
    "b.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
