"""A binary classifier with one output and a softmax in front of the loss, carried over from the ten-class version. The probability
is 1, always.
Origin: stackoverflow "binary classification with softmax, loss does not change"; retold."""
import torch
from torch import nn


class SpamFilter(nn.Module):
    def __init__(self, words=25, d=6, classes=1):
        super().__init__()
        self.bag = nn.EmbeddingBag(words, d, mode="mean")
        self.fc = nn.Sequential(nn.Linear(d, 8), nn.ReLU(), nn.Linear(8, classes))

    def forward(self, ids):
        return torch.softmax(self.fc(self.bag(ids)), dim=1)  # <-- culprit


def make():
    torch.manual_seed(0)
    model = SpamFilter()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    return model, optimizer, (torch.randint(0, 25, (10, 5)), torch.randint(0, 2, (10, 1)).float())


def loss_fn(model, batch):
    ids, label = batch
    return nn.functional.binary_cross_entropy(model(ids).clamp(1e-4, 1 - 1e-4), label)  # <-- culprit


def train(steps=3):
    model, optimizer, batch = make()
    history = []
    model.train()
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        history.append(float(loss))
    return model, history


KIND = "forward"
EXPECT = {
    "bag.weight": "blocked",
    "fc.0.weight": "blocked",
    "fc.0.bias": "blocked",
    "fc.2.weight": "blocked",
    "fc.2.bias": "blocked",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
