"""`train()` is overridden to keep the backbone frozen, as in detection libraries. It is called at each epoch and undoes the
unfreezing of the second one.
Origin: made up after frozen-stages code in detection backbones."""
import torch
from torch import nn


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU())
        self.head = nn.Conv2d(3, 2, 1)

    def train(self, mode=True):
        super().train(mode)
        for p in self.backbone.parameters():
            p.requires_grad = False  # <-- culprit
        return self

    def forward(self, x):
        return self.head(self.backbone(x))


def make():
    torch.manual_seed(0)
    model = Detector()
    model.train()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.rand(2, 1, 6, 6), torch.randint(0, 2, (2, 4, 4)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for epoch in range(steps):
        if epoch == 1:
            model.backbone.requires_grad_(True)
        model.train()  # <-- culprit
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"backbone.0.weight": "frozen", "backbone.0.bias": "frozen", "head.weight": "trained", "head.bias": "trained"}
CAUSE = "frozen"

if __name__ == "__main__":
    train()
