"""The outputs of the branches go into a dict keyed by the branch's class name. Two branches have the same class, and the later one wins.
Origin: made up after a dict-collision bug; retold."""
import torch
from torch import nn


class Branch(nn.Module):
    def __init__(self, k):
        super().__init__()
        self.conv = nn.Conv1d(1, 2, k, padding=k // 2)

    def forward(self, x):
        return torch.relu(self.conv(x)).mean(-1)


class Mean(nn.Module):
    def forward(self, x):
        return x.mean(-1)


class Inception(nn.Module):
    def __init__(self):
        super().__init__()
        self.narrow, self.wide, self.mean = Branch(3), Branch(7), Mean()
        self.fc = nn.Linear(3, 2)

    def forward(self, x):
        outputs = {type(b).__name__: b(x) for b in (self.narrow, self.wide, self.mean)}  # <-- culprit
        return self.fc(torch.cat(list(outputs.values()), 1))


def make():
    torch.manual_seed(0)
    model = Inception()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(6, 1, 9), torch.randint(0, 2, (6,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


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
    "narrow.conv.weight": "unreachable",
    "narrow.conv.bias": "unreachable",
    "wide.conv.weight": "trained",
    "wide.conv.bias": "trained",
    "fc.weight": "trained",
    "fc.bias": "trained",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
