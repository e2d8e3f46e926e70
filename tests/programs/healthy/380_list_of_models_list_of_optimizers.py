"""Deep ensemble: models in a list (a ModuleList for saving), one optimizer each, trained one after another. Origin: deep ensembles."""
import torch
from torch import nn
import torch.nn.functional as F


def make():
    torch.manual_seed(0)
    models = nn.ModuleList(nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 1)) for _ in range(3))
    return models, [torch.optim.Adam(m.parameters(), lr=1e-2) for m in models], (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(models, b):
    return sum(F.mse_loss(m(b[0]), b[1]) for m in models)


def train(steps=4):
    models, opts, b = make()
    losses = []
    for model, opt in zip(models, opts):
        for _ in range(steps):
            opt.zero_grad()
            loss = loss_fn([model], b)
            loss.backward()
            opt.step()
            losses.append(loss.item())
    return models, losses


KIND = "healthy"
EXPECT = {
    "0.0.weight": "trained",
    "0.0.bias": "trained",
    "0.2.weight": "trained",
    "0.2.bias": "trained",
    "1.0.weight": "trained",
    "1.0.bias": "trained",
    "1.2.weight": "trained",
    "1.2.bias": "trained",
    "2.0.weight": "trained",
    "2.0.bias": "trained",
    "2.2.weight": "trained",
    "2.2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
