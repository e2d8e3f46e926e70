"""A learned warp of time is used to look up a table of embeddings. The position must be an integer for that: `.long()`.
Origin: "learnable index into a tensor" questions; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class TimeWarp(nn.Module):
    def __init__(self, bins=10, d=6):
        super().__init__()
        self.bins = bins
        self.rate = nn.Parameter(torch.tensor(1.3))
        self.shift = nn.Parameter(torch.tensor(0.2))
        self.table = nn.Embedding(bins, d)

    def forward(self, t):
        warped = torch.sigmoid(self.rate * t + self.shift) * (self.bins - 1)
        return self.table(warped.long())  # <-- culprit


class EventModel(nn.Module):
    def __init__(self, kinds=4, d=6):
        super().__init__()
        self.time = TimeWarp(d=d)
        self.kind = nn.Embedding(kinds, d)
        self.lstm = nn.LSTM(d, d, batch_first=True)
        self.intensity = nn.Linear(d, 1)

    def forward(self, t, k):
        h, _ = self.lstm(self.time(t) + self.kind(k))
        return self.intensity(h).squeeze(-1)


def make():
    torch.manual_seed(0)
    model = EventModel()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    t = torch.rand(5, 7).cumsum(1)
    return model, optimizer, (t, torch.randint(0, 4, (5, 7)), torch.rand(5, 7))


def loss_fn(model, batch):
    t, k, gap = batch
    return F.smooth_l1_loss(model(t, k), gap)


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
    "time.rate": "unreachable",
    "time.shift": "unreachable",
    "time.table.weight": "trained",
    "kind.weight": "trained",
    "lstm.weight_ih_l0": "trained",
    "lstm.weight_hh_l0": "trained",
    "lstm.bias_ih_l0": "trained",
    "lstm.bias_hh_l0": "trained",
    "intensity.weight": "trained",
    "intensity.bias": "trained",
}
CAUSE = "non_differentiable"

if __name__ == "__main__":
    train()
