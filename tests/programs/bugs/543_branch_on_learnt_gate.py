"""The network chooses between two branches by `if sigmoid(gate) > 0.5`. The gate only decides, it multiplies nothing; and the branch that was
not chosen at the start never will be.
Origin: "if statement on a parameter in forward, gradient None" question; retold."""
import torch
from torch import nn


class Switch(nn.Module):
    def __init__(self, d=5):
        super().__init__()
        self.gate = nn.Parameter(torch.tensor(0.3))
        self.wide, self.deep = nn.Linear(d, 1), nn.Sequential(nn.Linear(d, 6), nn.ReLU(), nn.Linear(6, 1))

    def forward(self, x):
        if torch.sigmoid(self.gate) > 0.5:  # <-- culprit
            return self.deep(x)
        return self.wide(x)


def make():
    torch.manual_seed(0)
    model = Switch()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(9, 5), torch.randn(9, 1))


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
    "gate": "unreachable",
    "wide.weight": "unreachable",
    "wide.bias": "unreachable",
    "deep.0.weight": "trained",
    "deep.0.bias": "trained",
    "deep.2.weight": "trained",
    "deep.2.bias": "trained",
}
CAUSE = "other"

if __name__ == "__main__":
    train()
