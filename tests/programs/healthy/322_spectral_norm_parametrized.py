"""Spectral norm by parametrizations; the raw weight is parametrizations.weight.original. Origin: torch documentation."""
import torch
from torch import nn
import torch.nn.functional as F


from torch.nn.utils.parametrizations import spectral_norm, weight_norm


def make():
    torch.manual_seed(0)
    model = nn.Sequential(spectral_norm(nn.Linear(4, 8)), nn.ReLU(), weight_norm(nn.Linear(8, 8)), nn.ReLU(), spectral_norm(nn.Linear(8, 1)))
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), torch.randn(12, 4)


def loss_fn(model, x):
    return F.softplus(-model(x)).mean()


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
    "0.bias": "trained",
    "0.parametrizations.weight.original": "trained",
    "2.bias": "trained",
    "2.parametrizations.weight.original0": "trained",
    "2.parametrizations.weight.original1": "trained",
    "4.bias": "trained",
    "4.parametrizations.weight.original": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
