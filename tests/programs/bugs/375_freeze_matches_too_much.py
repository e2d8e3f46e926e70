"""Freezing the first layer by `"layer1" in name`: the names layer10 and layer11 contain it as well.
Origin: name matching in freezing recipes; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class DeepNet(nn.Module):
    def __init__(self, d=5, depth=12, classes=3):
        super().__init__()
        for i in range(depth):
            self.add_module(f"layer{i}", nn.Linear(d, d))
        self.depth = depth
        self.out = nn.Linear(d, classes)

    def forward(self, x):
        for i in range(self.depth):
            x = x + torch.tanh(getattr(self, f"layer{i}")(x))
        return self.out(x)


FREEZE = ["layer0", "layer1"]


def freeze(model, patterns):
    for name, p in model.named_parameters():
        if any(pattern in name for pattern in patterns):  # <-- culprit
            p.requires_grad = False  # <-- culprit


def make():
    torch.manual_seed(0)
    model = DeepNet()
    freeze(model, FREEZE)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return model, optimizer, (torch.randn(10, 5), torch.randint(0, 3, (10,)))


def loss_fn(model, batch):
    x, y = batch
    return F.cross_entropy(model(x), y)


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


KIND = "registration"
EXPECT = {
    "layer0.weight": "frozen",
    "layer0.bias": "frozen",
    "layer1.weight": "frozen",
    "layer1.bias": "frozen",
    "layer2.weight": "trained",
    "layer2.bias": "trained",
    "layer3.weight": "trained",
    "layer3.bias": "trained",
    "layer4.weight": "trained",
    "layer4.bias": "trained",
    "layer5.weight": "trained",
    "layer5.bias": "trained",
    "layer6.weight": "trained",
    "layer6.bias": "trained",
    "layer7.weight": "trained",
    "layer7.bias": "trained",
    "layer8.weight": "trained",
    "layer8.bias": "trained",
    "layer9.weight": "trained",
    "layer9.bias": "trained",
    "layer10.weight": "frozen",
    "layer10.bias": "frozen",
    "layer11.weight": "frozen",
    "layer11.bias": "frozen",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "frozen"

if __name__ == "__main__":
    train()
