"""The margin criterion has a weight matrix of its own. Only the network's parameters were given to the optimizer.
Origin: pytorch-metric-learning docs and issues ("some losses have parameters, they need an optimizer"); retold."""
import torch
from torch import nn
import torch.nn.functional as F


class MarginLoss(nn.Module):
    def __init__(self, d, classes, margin=0.2, scale=8.0):
        super().__init__()
        self.W = nn.Parameter(torch.randn(classes, d))
        self.margin, self.scale = margin, scale

    def forward(self, emb, y):
        cos = F.linear(F.normalize(emb), F.normalize(self.W))
        cos = cos - self.margin * F.one_hot(y, cos.shape[1])
        return F.cross_entropy(self.scale * cos, y)


class Embedder(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(9, 14), nn.ReLU(), nn.Linear(14, 5))


def make():
    torch.manual_seed(0)
    model = Embedder()
    criterion = MarginLoss(5, 6)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)  # <-- culprit
    return model, optimizer, (torch.randn(20, 9), torch.randint(0, 6, (20,)), criterion)


def loss_fn(model, batch):
    x, y, criterion = batch
    return criterion(model(x), y)


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


KIND = "optimizer"
EXPECT = {
    "0.weight": "trained",
    "0.bias": "trained",
    "2.weight": "trained",
    "2.bias": "trained",
    "?criterion.W": "unregistered",
}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
