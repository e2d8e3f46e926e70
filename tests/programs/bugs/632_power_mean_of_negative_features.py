"""Generalised mean pooling with a learnt exponent. The reference clamps the features before raising them to the power; the clamp was dropped when
the last ReLU was.
Origin: "GeM pooling gives nan" issue; retold."""
import torch
from torch import nn


class GeM(nn.Module):
    def __init__(self, p=2.7, eps=1e-6):
        super().__init__()
        self.p, self.eps = nn.Parameter(torch.tensor([p])), eps

    def forward(self, x):
        powered = x.pow(self.p)  # <-- culprit
        return powered.mean((-2, -1)).pow(1.0 / self.p)


class Retrieval(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, padding=1)
        self.norm = nn.GroupNorm(2, 6)
        self.pool = GeM()
        self.fc = nn.Linear(6, 4)

    def forward(self, x):
        return self.fc(self.pool(self.norm(self.conv(x))))


def make():
    torch.manual_seed(0)
    model = Retrieval()
    return model, torch.optim.SGD(model.parameters(), lr=0.01), (torch.randn(5, 3, 6, 6), torch.randint(0, 4, (5,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    curve = []
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        optimizer.zero_grad()
        curve.append(loss.item())
    return model, curve


KIND = "forward"
EXPECT = {
    "conv.weight": "blocked",
    "conv.bias": "blocked",
    "norm.weight": "blocked",
    "norm.bias": "blocked",
    "pool.p": "blocked",
    "fc.weight": "blocked",
    "fc.bias": "blocked",
}
CAUSE = "nan_skip"

if __name__ == "__main__":
    train()
