"""The log of a probability that is below zero gives NaN on every batch, and NaN batches are skipped.
Origin: made up after NaN-loss questions."""
import torch
from torch import nn


class Prob(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(5, 8)
        self.out = nn.Linear(8, 3)

    def forward(self, x):
        return torch.tanh(self.out(torch.relu(self.fc(x)))) - 0.5


def make():
    torch.manual_seed(0)
    model = Prob()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(12, 5), torch.randint(0, 3, (12,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.nll_loss(torch.log(model(x)), y)  # <-- culprit


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        losses.append(loss.item())
        if torch.isnan(loss):  # <-- culprit
            print("NaN, skipped")
            continue
        loss.backward()
        optimizer.step()
    return model, losses


KIND = "loop"
EXPECT = {"fc.weight": "blocked", "fc.bias": "blocked", "out.weight": "blocked", "out.bias": "blocked"}
CAUSE = "nan_skip"

if __name__ == "__main__":
    train()
