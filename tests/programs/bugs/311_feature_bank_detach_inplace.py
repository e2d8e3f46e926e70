"""A memory bank of features for the nearest-neighbour monitor. The features are put there with `detach_()`, which cuts the
very tensor that the classifier gets a line later.
Origin: detach versus detach_ threads on discuss.pytorch.org; retold."""
from collections import deque

import torch
from torch import nn
import torch.nn.functional as F


class MonitoredNet(nn.Module):
    def __init__(self, classes=3, bank_size=4):
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Conv2d(1, 4, 3, stride=2), nn.ReLU(),
            nn.Conv2d(4, 8, 3, stride=2), nn.ReLU(),
        )
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(8, classes)
        self.bank = deque(maxlen=bank_size)

    def remember(self, feats):
        self.bank.append(feats.detach_())  # <-- culprit

    def forward(self, x):
        feats = self.backbone(x).mean(dim=(2, 3))
        if self.training:
            self.remember(feats)
        return self.head(self.dropout(feats))


def make():
    torch.manual_seed(0)
    model = MonitoredNet()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0)
    return model, optimizer, (torch.randn(5, 1, 12, 12), torch.randint(0, 3, (5,)))


def loss_fn(model, batch):
    x, y = batch
    return F.cross_entropy(model(x), y)


class Loop:
    def __init__(self, model, optimizer):
        self.model, self.optimizer = model, optimizer

    def __call__(self, batch, steps):
        losses = []
        for _ in range(steps):
            self.optimizer.zero_grad()
            loss = loss_fn(self.model, batch)
            loss.backward()
            self.optimizer.step()
            losses.append(loss.item())
        return losses


def train(steps=3):
    model, optimizer, batch = make()
    return model, Loop(model, optimizer)(batch, steps)


KIND = "forward"
EXPECT = {
    "backbone.0.weight": "unreachable",
    "backbone.0.bias": "unreachable",
    "backbone.2.weight": "unreachable",
    "backbone.2.bias": "unreachable",
    "head.weight": "trained",
    "head.bias": "trained",
}
CAUSE = "detached"

if __name__ == "__main__":
    train()
