"""Noise around a prediction is drawn with torch.normal(mean, std). It has a grad_fn, and the gradient it gives is zero.
Origin: "torch.normal is not reparameterised" issue; retold."""
import torch
from torch import nn


class Motion(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.GRU(2, 6, batch_first=True)
        self.mean, self.std = nn.Linear(6, 2), nn.Linear(6, 2)
        self.correct = nn.Linear(2, 2)

    def forward(self, track):
        _, h = self.encoder(track)
        mean, std = self.mean(h[0]), nn.functional.softplus(self.std(h[0]))
        return self.correct(torch.normal(mean, std))  # <-- culprit


def make():
    torch.manual_seed(0)
    model = Motion()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(8, 5, 2), torch.randn(8, 2))


def loss_fn(model, batch):
    track, following = batch
    return (model(track) - following).norm(dim=-1).mean()


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
    "encoder.weight_ih_l0": "blocked",
    "encoder.weight_hh_l0": "blocked",
    "encoder.bias_ih_l0": "blocked",
    "encoder.bias_hh_l0": "blocked",
    "mean.weight": "blocked",
    "mean.bias": "blocked",
    "std.weight": "blocked",
    "std.bias": "blocked",
    "correct.weight": "trained",
    "correct.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
