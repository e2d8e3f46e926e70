"""The warm-up group is deleted from the optimizer by its position, which is that of the backbone.
Origin: made up after param group surgery questions."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(5, 6), nn.ReLU())
        self.head = nn.Linear(6, 2)
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x):
        return self.scale * self.head(self.backbone(x))


def make():
    torch.manual_seed(0)
    model = Net()
    optimizer = torch.optim.SGD([
        {"params": model.backbone.parameters(), "lr": 0.01},
        {"params": model.head.parameters()},
        {"params": [model.scale], "lr": 0.5},
    ], lr=0.1)
    return model, optimizer, (torch.randn(8, 5), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=4):
    model, optimizer, batch = make()
    del optimizer.param_groups[0]  # <-- culprit
    losses = []
    for _ in range(steps):
        model.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"backbone.0.weight": "excluded", "backbone.0.bias": "excluded", "head.weight": "trained", "head.bias": "trained", "scale": "trained"}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
