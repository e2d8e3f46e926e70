"""The features had to "require grad" for a saliency map, so forward wraps them in nn.Parameter. What was before ends there.
Origin: stackoverflow "nn.Parameter() of an intermediate output breaks the graph"; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class SaliencyNet(nn.Module):
    def __init__(self, classes=3):
        super().__init__()
        self.conv = nn.Conv2d(1, 6, 3, padding=1)
        self.bn = nn.BatchNorm2d(6)
        self.fc1 = nn.Linear(6 * 16, 12)
        self.fc2 = nn.Linear(12, classes)
        self.saved = None

    def features(self, x):
        return F.max_pool2d(F.relu(self.bn(self.conv(x))), 2)

    def forward(self, x):
        maps = nn.Parameter(self.features(x))  # <-- culprit
        object.__setattr__(self, "saved", maps)
        return self.fc2(F.relu(self.fc1(maps.flatten(1))))

    def saliency(self):
        return self.saved.grad.abs().sum(1)


def make():
    torch.manual_seed(0)
    model = SaliencyNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return model, optimizer, (torch.rand(5, 1, 8, 8), torch.randint(0, 3, (5,)))


def loss_fn(model, batch):
    x, y = batch
    return F.cross_entropy(model(x), y)


def train(steps=3):
    model, optimizer, batch = make()
    losses, maps = [], []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        maps.append(model.saliency())
    return model, losses


KIND = "forward"
EXPECT = {
    "conv.weight": "unreachable",
    "conv.bias": "unreachable",
    "bn.weight": "unreachable",
    "bn.bias": "unreachable",
    "fc1.weight": "trained",
    "fc1.bias": "trained",
    "fc2.weight": "trained",
    "fc2.bias": "trained",
    "?maps": "unregistered",
}
CAUSE = "rewrapped"

if __name__ == "__main__":
    train()
