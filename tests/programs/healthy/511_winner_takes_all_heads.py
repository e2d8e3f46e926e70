"""Multiple-choice learning: per sample only the best of three heads is trained, by min over the heads' losses.
Origin: Lee et al. 2016."""
import torch
from torch import nn
import torch.nn.functional as F


class MCL(nn.Module):
    def __init__(self, heads=3):
        super().__init__()
        self.trunk = nn.Linear(5, 8)
        self.heads = nn.ModuleList(nn.Linear(8, 2) for _ in range(heads))

    def forward(self, x):
        h = F.relu(self.trunk(x))
        return torch.stack([head(h) for head in self.heads], 1)


def make():
    torch.manual_seed(0)
    model = MCL()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(40, 5), torch.randn(40, 2))


def loss_fn(model, batch):
    x, y = batch
    per_head = (model(x) - y.unsqueeze(1)).pow(2).mean(-1)
    best, which = per_head.min(1)
    model.usage = torch.bincount(which, minlength=3).tolist()
    return best.mean()


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
    "trunk.weight": "trained",
    "trunk.bias": "trained",
    "heads.0.weight": "trained",
    "heads.0.bias": "trained",
    "heads.1.weight": "trained",
    "heads.1.bias": "trained",
    "heads.2.weight": "trained",
    "heads.2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
