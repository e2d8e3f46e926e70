"""A feature pyramid: 1x1 laterals, a top-down pass, 3x3 convolutions against aliasing. The smoothed maps are made in a list, and the
laterals are what forward returns.
Origin: a review comment in a detection repository; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class Pyramid(nn.Module):
    def __init__(self, channels=(4, 6, 8), d=5):
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(c, d, 1) for c in channels)
        self.smooth = nn.ModuleList(nn.Conv2d(d, d, 3, padding=1) for _ in channels)

    def forward(self, maps):
        laterals = [conv(m) for conv, m in zip(self.lateral, maps)]
        for level in range(len(laterals) - 1, 0, -1):
            laterals[level - 1] = laterals[level - 1] + F.interpolate(laterals[level], scale_factor=2)
        outs = [conv(m) for conv, m in zip(self.smooth, laterals)]
        return tuple(laterals)  # <-- culprit


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.stages = nn.ModuleList([nn.Conv2d(3, 4, 3, 1, 1), nn.Conv2d(4, 6, 3, 2, 1), nn.Conv2d(6, 8, 3, 2, 1)])
        self.neck = Pyramid()
        self.score = nn.Conv2d(5, 1, 1)

    def forward(self, image):
        maps, x = [], image
        for stage in self.stages:
            x = F.relu(stage(x))
            maps.append(x)
        return [self.score(m).flatten(1) for m in self.neck(maps)]


def make():
    torch.manual_seed(0)
    model = Detector()
    batch = (torch.randn(2, 3, 8, 8), [torch.randint(0, 2, (2, n)).float() for n in (64, 16, 4)])
    return model, torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0), batch


def loss_fn(model, batch):
    image, targets = batch
    return sum(F.binary_cross_entropy_with_logits(p, t) for p, t in zip(model(image), targets))


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
    "stages.0.weight": "trained",
    "stages.0.bias": "trained",
    "stages.1.weight": "trained",
    "stages.1.bias": "trained",
    "stages.2.weight": "trained",
    "stages.2.bias": "trained",
    "neck.lateral.0.weight": "trained",
    "neck.lateral.0.bias": "trained",
    "neck.lateral.1.weight": "trained",
    "neck.lateral.1.bias": "trained",
    "neck.lateral.2.weight": "trained",
    "neck.lateral.2.bias": "trained",
    "neck.smooth.0.weight": "unreachable",
    "neck.smooth.0.bias": "unreachable",
    "neck.smooth.1.weight": "unreachable",
    "neck.smooth.1.bias": "unreachable",
    "neck.smooth.2.weight": "unreachable",
    "neck.smooth.2.bias": "unreachable",
    "score.weight": "trained",
    "score.bias": "trained",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
