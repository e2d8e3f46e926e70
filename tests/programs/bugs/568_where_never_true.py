"""Two regimes of a physical model, chosen by torch.where on the temperature. The threshold is in kelvin, the data in degrees Celsius: the hot
regime's net never counts.
Origin: made up after unit mix-ups; retold."""
import torch
from torch import nn


class TwoRegimes(nn.Module):
    def __init__(self, threshold=373.15):
        super().__init__()
        self.threshold = threshold
        self.cold, self.hot = nn.Linear(2, 1), nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 1))

    def forward(self, state):
        boiling = state[:, :1] > self.threshold  # <-- culprit
        return torch.where(boiling, self.hot(state / 100), self.cold(state / 100))  # <-- culprit


def make():
    torch.manual_seed(0)
    model = TwoRegimes()
    state = torch.stack([torch.rand(20) * 200, torch.rand(20)], 1)
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (state, torch.randn(20, 1))


def loss_fn(model, batch):
    state, y = batch
    return nn.functional.mse_loss(model(state), y)


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
    "cold.weight": "trained",
    "cold.bias": "trained",
    "hot.0.weight": "blocked",
    "hot.0.bias": "blocked",
    "hot.2.weight": "blocked",
    "hot.2.bias": "blocked",
}
CAUSE = "zero_gradient"
ONE_BATCH = "unknown"

if __name__ == "__main__":
    train()
