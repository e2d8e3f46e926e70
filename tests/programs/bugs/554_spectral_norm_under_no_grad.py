"""Spectral normalisation by hand: the power iteration belongs under no_grad; the division by sigma was left in the same block.
Origin: SN-GAN reimplementation, "discriminator conv weights have grad None"; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class SNLinear(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(o, i) * 0.3)
        self.bias = nn.Parameter(torch.zeros(o))
        self.register_buffer("u", F.normalize(torch.randn(o), dim=0))

    def forward(self, x):
        with torch.no_grad():  # <-- culprit
            v = F.normalize(self.weight.t() @ self.u, dim=0)
            self.u.copy_(F.normalize(self.weight @ v, dim=0))
            sigma = torch.dot(self.u, self.weight @ v)
            weight = self.weight / sigma
        return F.linear(x, weight, self.bias)


def make():
    torch.manual_seed(0)
    critic = nn.Sequential(SNLinear(4, 8), nn.LeakyReLU(0.1), SNLinear(8, 1))
    return critic, torch.optim.Adam(critic.parameters(), lr=2e-4, betas=(0.0, 0.9)), (torch.randn(8, 4), torch.randn(8, 4) + 1)


def loss_fn(critic, batch):
    real, fake = batch
    return F.relu(1 - critic(real)).mean() + F.relu(1 + critic(fake)).mean()


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


KIND = "forward"
EXPECT = {
    "0.weight": "unreachable",
    "2.weight": "unreachable",
    "0.bias": "trained",
    "2.bias": "trained",
}
CAUSE = "no_grad"

if __name__ == "__main__":
    train()
