"""A learnt threshold is rounded to three decimals by way of a string, so that the logs are tidy.
Origin: made up after "float(f'{x:.3f}')" code seen in a notebook; retold."""
import torch
from torch import nn


class SoftThreshold(nn.Module):
    def __init__(self, n=6):
        super().__init__()
        self.analysis, self.synthesis = nn.Linear(n, n), nn.Linear(n, n)
        self.level = nn.Parameter(torch.tensor(0.12345))

    def forward(self, x):
        c = self.analysis(x)
        level = float(f"{self.level.item():.3f}")  # <-- culprit
        c = torch.sign(c) * torch.relu(c.abs() - level)
        return self.synthesis(c)


def make():
    torch.manual_seed(0)
    model = SoftThreshold()
    clean = torch.randn(10, 6)
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (clean + 0.1 * torch.randn(10, 6), clean)


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.mse_loss(model(x), y)


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
    "analysis.weight": "trained",
    "analysis.bias": "trained",
    "synthesis.weight": "trained",
    "synthesis.bias": "trained",
    "level": "unreachable",
}
CAUSE = "to_python"

if __name__ == "__main__":
    train()
