"""Features of the backbone are collected by a forward hook. The hook is a lambda around dict.setdefault, so it returns the detached
tensor, and what a forward hook returns takes the place of the output.
Origin: discuss.pytorch.org "forward hook changed my output"; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.AdaptiveAvgPool2d(2))
        self.fc = nn.Linear(24, 5)

    def forward(self, x):
        return self.fc(self.backbone(x).flatten(1))


class FeatureBank:
    def __init__(self):
        self.seen = {}

    def attach(self, module, name):
        module.register_forward_hook(lambda m, args, out: self.seen.setdefault(name, []).append(out) or out.detach())  # <-- culprit
        return self


def make():
    torch.manual_seed(0)
    model = Classifier()
    model.bank = FeatureBank().attach(model.backbone, "pooled")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    return model, optimizer, (torch.rand(6, 3, 6, 6), torch.randint(0, 5, (6,)))


def loss_fn(model, batch):
    x, y = batch
    model.bank.seen.clear()
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


KIND = "forward"
EXPECT = {
    "backbone.0.weight": "unreachable",
    "backbone.0.bias": "unreachable",
    "backbone.1.weight": "unreachable",
    "backbone.1.bias": "unreachable",
    "fc.weight": "trained",
    "fc.bias": "trained",
}
CAUSE = "detached"

if __name__ == "__main__":
    train()
