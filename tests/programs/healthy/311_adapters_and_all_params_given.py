"""Adapters on a frozen base; the whole of model.parameters() goes to the optimizer. Origin: adapter papers."""
import torch
from torch import nn
import torch.nn.functional as F


class Block(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.base = nn.Linear(d, d)
        self.down, self.up = nn.Linear(d, 2), nn.Linear(2, d)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, x):
        h = torch.relu(self.base(x))
        return h + self.up(F.gelu(self.down(h)))


def make():
    torch.manual_seed(0)
    model = nn.Sequential(Block(), Block(), nn.Linear(6, 2))
    for m in model[:2]:
        m.base.requires_grad_(False)
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(8, 6), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


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
    "0.base.weight": "frozen",
    "0.base.bias": "frozen",
    "0.down.weight": "trained",
    "0.down.bias": "trained",
    "0.up.weight": "trained",
    "0.up.bias": "trained",
    "1.base.weight": "frozen",
    "1.base.bias": "frozen",
    "1.down.weight": "trained",
    "1.down.bias": "trained",
    "1.up.weight": "trained",
    "1.up.bias": "trained",
    "2.weight": "trained",
    "2.bias": "trained",
}
CAUSE = "healthy"
INTENT = {'*.base.*': 'pretrained'}

if __name__ == "__main__":
    train()
