"""Healthy: spectral normalisation by parametrisation is added after the optimizer; the original tensor keeps its identity."""
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm


def make():
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Linear(4, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
    optimizer = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.0, 0.9))
    for layer in (critic[0], critic[2]):
        spectral_norm(layer)
    return critic, optimizer, (torch.randn(12, 4) + 1, torch.randn(12, 4))


def loss_fn(critic, batch):
    real, fake = batch
    return nn.functional.softplus(-critic(real)).mean() + nn.functional.softplus(critic(fake)).mean()


def train(steps=3):
    critic, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(critic, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return critic, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("0.bias", "0.parametrizations.weight.original", "2.bias", "2.parametrizations.weight.original")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
