"""Losses of several tasks in a loop, with `=` where `+=` was meant: only the last task of the dict trains.
Origin: multi-task loss threads (stackoverflow "only one head learns in my multi-head network"); retold."""
import torch
from torch import nn


class MultiHead(nn.Module):
    def __init__(self, d=9, hidden=14):
        super().__init__()
        self.shared = nn.Sequential(nn.Linear(d, hidden), nn.ReLU())
        self.heads = nn.ModuleDict({"price": nn.Linear(hidden, 1), "rooms": nn.Linear(hidden, 4), "sold": nn.Linear(hidden, 1)})

    def forward(self, x):
        h = self.shared(x)
        return {name: head(h) for name, head in self.heads.items()}


CRITERIA = {"price": nn.SmoothL1Loss(), "rooms": nn.CrossEntropyLoss(), "sold": nn.BCEWithLogitsLoss()}
WEIGHTS = {"price": 1.0, "rooms": 0.5, "sold": 2.0}


def total_loss(outputs, targets):
    loss = torch.zeros(())
    for name, criterion in CRITERIA.items():
        loss = WEIGHTS[name] * criterion(outputs[name], targets[name])  # <-- culprit
    return loss


def loss_fn(model, batch):
    x, targets = batch
    return total_loss(model(x), targets)


def make():
    torch.manual_seed(0)
    model = MultiHead()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    targets = {"price": torch.rand(8, 1), "rooms": torch.randint(0, 4, (8,)), "sold": torch.randint(0, 2, (8, 1)).float()}
    return model, optimizer, (torch.randn(8, 9), targets)


def train(steps=3):
    model, optimizer, batch = make()
    history = []
    while len(history) < steps:
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    return model, history


KIND = "loss"
EXPECT = {
    "shared.0.weight": "trained",
    "shared.0.bias": "trained",
    "heads.price.weight": "unreachable",
    "heads.price.bias": "unreachable",
    "heads.rooms.weight": "unreachable",
    "heads.rooms.bias": "unreachable",
    "heads.sold.weight": "trained",
    "heads.sold.bias": "trained",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
