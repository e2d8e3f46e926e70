"""The ranking term takes the margin with the wrong sign: positives are already "closer" by the margin, everywhere, and relu gives zero. The
classifier on the other branch learns.
Origin: triplet loss reimplementation, "triplet loss is 0 from the start"; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class FaceNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(6, 4)
        self.attributes = nn.Linear(6, 3)

    def forward(self, x):
        return F.normalize(self.embed(x), dim=-1), self.attributes(x)


def ranking(anchor, positive, negative, margin=5.0):
    gap = (anchor - positive).pow(2).sum(-1) - (anchor - negative).pow(2).sum(-1) - margin  # <-- culprit
    return F.relu(gap).mean()  # <-- culprit


def make():
    torch.manual_seed(0)
    model = FaceNet()
    views = torch.randn(3, 8, 6)
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (views, torch.randint(0, 3, (8,)))


def loss_fn(model, batch):
    views, labels = batch
    (a, logits), (p, _), (n, _) = (model(v) for v in views)
    return ranking(a, p, n) + F.cross_entropy(logits, labels)


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


KIND = "loss"
EXPECT = {
    "embed.weight": "blocked",
    "embed.bias": "blocked",
    "attributes.weight": "trained",
    "attributes.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
