"""Copied from a transfer learning tutorial: the optimizer gets `model.head.parameters()`, though this model is trained from scratch
and nothing is frozen.
Origin: pytorch.org transfer learning tutorial, adapted wrongly; retold."""
import torch
from torch import nn


class UNetish(nn.Module):
    def __init__(self, c=4):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, c, 3, padding=1), nn.InstanceNorm2d(c, affine=True), nn.ReLU())
        self.up = nn.Sequential(nn.Conv2d(c, c, 3, padding=1), nn.ReLU())
        self.head = nn.Conv2d(2 * c, 1, 1)

    def forward(self, x):
        a = self.down(x)
        b = self.up(nn.functional.avg_pool2d(a, 2))
        b = nn.functional.interpolate(b, scale_factor=2)
        return self.head(torch.cat([a, b], 1))


class Experiment:
    def __init__(self, lr=1e-3):
        torch.manual_seed(0)
        self.model = UNetish()
        self.optimizer = self.configure(lr)
        self.batch = (torch.rand(3, 1, 8, 8), (torch.rand(3, 1, 8, 8) > 0.5).float())
        self.losses = []

    def configure(self, lr):
        return torch.optim.Adam(self.model.head.parameters(), lr=lr)  # <-- culprit

    def fit(self, steps):
        for _ in range(steps):
            self.optimizer.zero_grad()
            loss = loss_fn(self.model, self.batch)
            loss.backward()
            self.optimizer.step()
            self.losses.append(loss.item())
        return self.losses


def build():
    e = Experiment()
    return e.model, e.optimizer, e.batch, e


def make():
    return build()[:3]


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.binary_cross_entropy_with_logits(model(x), y)


def train(steps=3):
    model, _, _, experiment = build()
    return model, experiment.fit(steps)


KIND = "optimizer"
EXPECT = {
    "down.0.weight": "excluded",
    "down.0.bias": "excluded",
    "down.1.weight": "excluded",
    "down.1.bias": "excluded",
    "up.0.weight": "excluded",
    "up.0.bias": "excluded",
    "head.weight": "trained",
    "head.bias": "trained",
}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
