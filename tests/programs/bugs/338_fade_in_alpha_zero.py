"""Progressive growing: the new block is faded in by a buffer alpha that starts at zero. The line of the trainer that raises it
was lost in a merge.
Origin: PGGAN reimplementations ("new layer's weights do not change"); retold."""
import torch
from torch import nn
import torch.nn.functional as F


class Grown(nn.Module):
    def __init__(self, c=4):
        super().__init__()
        self.old = nn.Conv2d(c, c, 3, padding=1)
        self.new = nn.Sequential(nn.Conv2d(c, c, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(c, c, 3, padding=1))
        self.to_rgb = nn.Conv2d(c, 3, 1)
        self.register_buffer("alpha", torch.zeros(()))  # <-- culprit

    def fade(self, old, new):
        return (1 - self.alpha) * old + self.alpha * new  # <-- culprit

    def forward(self, z):
        x = F.interpolate(z, scale_factor=2, mode="nearest")
        return torch.tanh(self.to_rgb(self.fade(self.old(x), self.new(x))))


def make():
    torch.manual_seed(0)
    g = Grown()
    optimizer = torch.optim.Adam(g.parameters(), lr=1e-3, betas=(0.0, 0.99))
    return g, optimizer, (torch.randn(3, 4, 4, 4), torch.rand(3, 3, 8, 8) * 2 - 1)


def loss_fn(g, batch):
    z, image = batch
    return F.l1_loss(g(z), image)


class GrowTrainer:
    fade_steps = 10

    def __init__(self, g, optimizer):
        self.g, self.optimizer, self.seen = g, optimizer, 0

    def step(self, batch):
        self.seen += 1
        self.optimizer.zero_grad()
        loss = loss_fn(self.g, batch)
        loss.backward()
        self.optimizer.step()
        return loss.item()


def train(steps=3):
    g, optimizer, batch = make()
    trainer = GrowTrainer(g, optimizer)
    return g, [trainer.step(batch) for _ in range(steps)]


KIND = "forward"
EXPECT = {
    "old.weight": "trained",
    "old.bias": "trained",
    "new.0.weight": "blocked",
    "new.0.bias": "blocked",
    "new.2.weight": "blocked",
    "new.2.bias": "blocked",
    "to_rgb.weight": "trained",
    "to_rgb.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
