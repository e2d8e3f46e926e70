"""Sparse embedding gradients with SparseAdam, the rest with AdamW. Origin: torch documentation."""
import torch
from torch import nn
import torch.nn.functional as F


class Rec(nn.Module):
    def __init__(self):
        super().__init__()
        self.users, self.items = nn.Embedding(20, 4, sparse=True), nn.EmbeddingBag(30, 4, mode="sum", sparse=True)
        self.out = nn.Linear(4, 1)

    def forward(self, u, i):
        return self.out(self.users(u) * self.items(i)).squeeze(-1)


def make():
    torch.manual_seed(0)
    m = Rec()
    opts = [torch.optim.SparseAdam([m.users.weight, m.items.weight], lr=1e-2), torch.optim.AdamW(m.out.parameters(), lr=1e-2)]
    return m, opts, (torch.randint(0, 20, (6,)), torch.randint(0, 30, (6, 3)), torch.randn(6))


def loss_fn(m, b):
    return F.mse_loss(m(b[0], b[1]), b[2])


def train(steps=3):
    m, opts, b = make()
    losses = []
    for _ in range(steps):
        for o in opts:
            o.zero_grad()
        loss = loss_fn(m, b)
        loss.backward()
        for o in opts:
            o.step()
        losses.append(loss.item())
    return m, losses


KIND = "healthy"
EXPECT = {
    "users.weight": "trained",
    "items.weight": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
