"""A style generator with the truncation trick. The value for "only the mean face" was left in the training script.
Origin: a style GAN port whose mapping network does not learn; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class Generator(nn.Module):
    def __init__(self, z=5, w=6, truncation=1.0):
        super().__init__()
        self.truncation = truncation
        self.mapping = nn.Sequential(nn.Linear(z, w), nn.LeakyReLU(0.2), nn.Linear(w, w))
        self.register_buffer("w_avg", torch.randn(w) * 0.1)
        self.const = nn.Parameter(torch.randn(4))
        self.affine = nn.Linear(w, 4)
        self.to_rgb = nn.Linear(4, 3)

    def forward(self, z):
        w = torch.lerp(self.w_avg.expand(len(z), -1), self.mapping(z), self.truncation)  # <-- culprit
        return self.to_rgb(torch.tanh(self.const * (1 + self.affine(w))))


def make():
    torch.manual_seed(0)
    generator = Generator(truncation=0.0)  # <-- culprit
    critic = nn.Linear(3, 1).requires_grad_(False)
    return generator, torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.0, 0.99)), (critic, torch.randn(12, 5))


def loss_fn(generator, batch):
    critic, z = batch
    return F.softplus(-critic(generator(z))).mean()


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
    "const": "trained",
    "mapping.0.weight": "blocked",
    "mapping.0.bias": "blocked",
    "mapping.2.weight": "blocked",
    "mapping.2.bias": "blocked",
    "affine.weight": "trained",
    "affine.bias": "trained",
    "to_rgb.weight": "trained",
    "to_rgb.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
