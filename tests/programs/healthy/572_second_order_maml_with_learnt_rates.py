"""Healthy: MAML with second derivatives, and a learnt inner rate for each tensor (Meta-SGD)."""
import torch
from torch import nn
from torch.func import functional_call


class Meta(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
        self.rates = nn.ParameterList(nn.Parameter(torch.full_like(p, 0.05)) for p in self.net.parameters())

    def adapt(self, x, y, rounds=2):
        fast = dict(self.net.named_parameters())
        for _ in range(rounds):
            loss = nn.functional.mse_loss(functional_call(self.net, fast, (x,)), y)
            grads = torch.autograd.grad(loss, list(fast.values()), create_graph=True)
            fast = {n: w - r * g for (n, w), r, g in zip(fast.items(), self.rates, grads)}
        return fast


def make():
    torch.manual_seed(0)
    meta = Meta()
    x = torch.linspace(-1, 1, 12)[:, None]
    return meta, torch.optim.Adam(meta.parameters(), lr=1e-2), [(x, torch.sin(3 * x + k)) for k in range(3)]


def loss_fn(meta, tasks):
    losses = []
    for x, y in tasks:
        fast = meta.adapt(x[::2], y[::2])
        losses.append(nn.functional.mse_loss(functional_call(meta.net, fast, (x[1::2],)), y[1::2]))
    return torch.stack(losses).mean()


def train(steps=3):
    meta, optimizer, tasks = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(meta, tasks)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return meta, losses


KIND = "healthy"
EXPECT = {
    **{f"net.{n}": "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")},
    **{f"rates.{k}": "trained" for k in range(4)},
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
