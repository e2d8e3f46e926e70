"""Inversion: the decoder is fixed (but requires_grad), an optimizer over one latent tensor. Origin: GAN inversion."""
import torch
from torch import nn
import torch.nn.functional as F


LATENT = []


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 6)).eval()
    for p in model.parameters():
        p.requires_grad_(False)
    z = torch.zeros(1, 3, requires_grad=True)
    LATENT[:] = [z]
    return model, torch.optim.Adam([z], lr=0.1), torch.randn(1, 6)


def loss_fn(model, target):
    return F.mse_loss(model(LATENT[0]), target) + 1e-3 * LATENT[0].square().sum()


def train(steps=4):
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
    "0.weight": "frozen",
    "0.bias": "frozen",
    "2.weight": "frozen",
    "2.bias": "frozen",
}
CAUSE = "healthy"
INTENT = {'*': 'the decoder is fixed; the latent learns'}

if __name__ == "__main__":
    train()
