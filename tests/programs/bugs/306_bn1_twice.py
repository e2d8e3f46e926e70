"""A residual block written by copying lines: the second convolution is normalised by bn1 again, bn2 is never used.
Origin: copy-and-paste blocks; "find_unused_parameters" errors in DDP threads often turn out to be this; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class BasicBlock(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv1 = nn.Conv2d(c, c, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c)
        self.conv2 = nn.Conv2d(c, c, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c)

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn1(self.conv2(out))  # <-- culprit
        return F.relu(out + x)


class SmallResNet(nn.Module):
    def __init__(self, c=6, blocks=2, classes=4):
        super().__init__()
        self.stem = nn.Conv2d(3, c, 3, padding=1)
        self.layer = nn.Sequential(*[BasicBlock(c) for _ in range(blocks)])
        self.fc = nn.Linear(c, classes)

    def forward(self, x):
        x = self.layer(self.stem(x))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


def make():
    torch.manual_seed(0)
    model = SmallResNet()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    return model, optimizer, (torch.rand(4, 3, 8, 8), torch.randint(0, 4, (4,)))


def loss_fn(model, batch):
    images, labels = batch
    return F.cross_entropy(model(images), labels)


def train(steps=3):
    model, optimizer, batch = make()
    model.train()
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
    "stem.weight": "trained",
    "stem.bias": "trained",
    "layer.0.conv1.weight": "trained",
    "layer.0.bn1.weight": "trained",
    "layer.0.bn1.bias": "trained",
    "layer.0.conv2.weight": "trained",
    "layer.0.bn2.weight": "unreachable",
    "layer.0.bn2.bias": "unreachable",
    "layer.1.conv1.weight": "trained",
    "layer.1.bn1.weight": "trained",
    "layer.1.bn1.bias": "trained",
    "layer.1.conv2.weight": "trained",
    "layer.1.bn2.weight": "unreachable",
    "layer.1.bn2.bias": "unreachable",
    "fc.weight": "trained",
    "fc.bias": "trained",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
