"""Self-distillation: the teacher is a deep copy that is made in the first forward, under no_grad, and the student's head is
called for nothing. The copy of the batch norm's buffers is made after that of the head, and gets it in its memo."""

import copy

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(8, 3)
        self.body = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8))

    def forward(self, x):
        hidden = self.body(x)
        _ = self.head(hidden)  # <-- culprit
        return hidden


class Distilled(nn.Module):
    def __init__(self):
        super().__init__()
        self.online, self.target, self.predictor = Net(), None, nn.Linear(8, 8)

    def forward(self, x):
        online = self.predictor(self.online(x))
        with torch.no_grad():
            if self.target is None:
                self.target = copy.deepcopy(self.online).requires_grad_(False)
            target = self.target(x)
        return (online - target).square().mean()


def make():
    torch.manual_seed(0)
    model = Distilled()
    return model, torch.optim.Adam(model.parameters(), lr=0.01), torch.randn(16, 4)


def loss_fn(model, batch):
    return model(batch)


def train(steps=4):
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
    "online.head.weight": "unreachable",
    "online.head.bias": "unreachable",
    "online.body.0.weight": "trained",
    "online.body.0.bias": "trained",
    "online.body.1.weight": "trained",
    "online.body.1.bias": "trained",
    "predictor.weight": "trained",
    "predictor.bias": "trained",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
