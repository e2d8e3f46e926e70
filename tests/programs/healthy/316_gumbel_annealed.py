"""Gumbel-softmax gate with an annealed temperature, hard in the forward. Origin: categorical VAE."""
import torch
from torch import nn
import torch.nn.functional as F


class Cat(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc, self.dec = nn.Linear(6, 5), nn.Linear(5, 6, bias=False)
        self.tau = 1.0

    def forward(self, x):
        return self.dec(F.gumbel_softmax(self.enc(x), tau=self.tau, hard=True))


def make():
    torch.manual_seed(0)
    model = Cat()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), torch.randn(16, 6)


def loss_fn(model, x):
    return F.mse_loss(model(x), x)


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for step in range(steps):
        model.tau = max(0.5, 1.0 - 0.1 * step)
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "enc.weight": "trained",
    "enc.bias": "trained",
    "dec.weight": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
