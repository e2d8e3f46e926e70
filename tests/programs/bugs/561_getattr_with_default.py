"""Adapters are optional, so forward asks getattr(self, "adaptor", identity). The attribute is spelt with an e.
Origin: made up after optional-module code; retold."""
import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, d=6, use_adapter=True):
        super().__init__()
        self.ff = nn.Sequential(nn.Linear(d, d), nn.GELU())
        if use_adapter:
            self.adapter = nn.Sequential(nn.Linear(d, 2), nn.ReLU(), nn.Linear(2, d))

    def forward(self, x):
        h = self.ff(x)
        return x + getattr(self, "adaptor", nn.Identity())(h)  # <-- culprit


def make():
    torch.manual_seed(0)
    model = nn.Sequential(Block(), Block(use_adapter=False), nn.Linear(6, 2))
    return model, torch.optim.AdamW(model.parameters(), lr=1e-3), (torch.randn(8, 6), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


def train(steps=3):
    model, optimizer, batch = make()
    history = []
    model.train()
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        history.append(float(loss))
    return model, history


KIND = "forward"
EXPECT = {
    "0.ff.0.weight": "trained",
    "0.ff.0.bias": "trained",
    "1.ff.0.weight": "trained",
    "1.ff.0.bias": "trained",
    "2.weight": "trained",
    "2.bias": "trained",
    "0.adapter.0.weight": "unreachable",
    "0.adapter.0.bias": "unreachable",
    "0.adapter.2.weight": "unreachable",
    "0.adapter.2.bias": "unreachable",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
