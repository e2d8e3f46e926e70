"""Predicted ages are kept between 0 and 120 by clamp, with the bounds in the wrong order: everything is set to the second, 0, and
has no slope.
Origin: "torch.clamp(min > max) sets all to max" documentation note, as met in a regression; retold."""
import torch
from torch import nn


class AgeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv1d(1, 4, 3), nn.BatchNorm1d(4), nn.ReLU(), nn.Flatten())
        self.age = nn.Linear(4 * 8, 1)
        self.calibration = nn.Parameter(torch.tensor([0.0]))

    def forward(self, x):
        raw = self.age(self.features(x)).squeeze(1)
        return torch.clamp(raw, 120.0, 0.0) + self.calibration  # <-- culprit


def make():
    torch.manual_seed(0)
    model = AgeNet()
    return model, torch.optim.Adam(model.parameters(), lr=0.1), (torch.randn(7, 1, 10), 20 + 50 * torch.rand(7))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.smooth_l1_loss(model(x), y)


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
    "features.0.weight": "blocked",
    "features.0.bias": "blocked",
    "features.1.weight": "blocked",
    "features.1.bias": "blocked",
    "age.weight": "blocked",
    "age.bias": "blocked",
    "calibration": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
