"""Unfreezing with `p.requires_grad == True`, which compares and forgets.
Origin: made up after fine-tuning questions; linters call it B015."""
import torch
from torch import nn


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(5, 6), nn.ReLU())
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        return self.head(self.features(x))


def unfreeze(module):
    for p in module.parameters():
        p.requires_grad == True  # <-- culprit


def make():
    torch.manual_seed(0)
    model = Classifier()
    model.features.requires_grad_(False)
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(7, 5), torch.randint(0, 3, (7,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for epoch in range(steps):
        if epoch == 2:
            unfreeze(model.features)
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"features.0.weight": "frozen", "features.0.bias": "frozen", "head.weight": "trained", "head.bias": "trained"}
CAUSE = "frozen"

if __name__ == "__main__":
    train()
