"""BYOL: online with predictor, target follows by EMA, no gradient to the target. Origin: BYOL code."""
import torch
from torch import nn
import torch.nn.functional as F


import copy


class BYOL(nn.Module):
    def __init__(self):
        super().__init__()
        self.online = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 4))
        self.predictor = nn.Linear(4, 4)
        self.target = copy.deepcopy(self.online).requires_grad_(False)

    @torch.no_grad()
    def follow(self, m=0.9):
        for o, t in zip(self.online.parameters(), self.target.parameters()):
            t.data.mul_(m).add_(o.data, alpha=1 - m)

    def forward(self, a, b):
        def half(x, y):
            p = F.normalize(self.predictor(self.online(x)), dim=1)
            with torch.no_grad():
                z = F.normalize(self.target(y), dim=1)
            return 2 - 2 * (p * z.detach()).sum(1).mean()
        return half(a, b) + half(b, a)


def make():
    torch.manual_seed(0)
    model = BYOL()
    params = [*model.online.parameters(), *model.predictor.parameters()]
    x = torch.randn(12, 6)
    return model, torch.optim.SGD(params, lr=0.1), (x + 0.1 * torch.randn(12, 6), x + 0.1 * torch.randn(12, 6))


def loss_fn(model, batch):
    return model(*batch)


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        model.follow()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "online.0.weight": "trained",
    "online.0.bias": "trained",
    "online.1.weight": "trained",
    "online.1.bias": "trained",
    "online.3.weight": "trained",
    "online.3.bias": "trained",
    "predictor.weight": "trained",
    "predictor.bias": "trained",
    "target.0.weight": "frozen",
    "target.0.bias": "frozen",
    "target.1.weight": "frozen",
    "target.1.bias": "frozen",
    "target.3.weight": "frozen",
    "target.3.bias": "frozen",
}
CAUSE = "healthy"
INTENT = {'target.*': 'EMA of the online network', 'online.0.bias': 'noise before BN'}

if __name__ == "__main__":
    train()
