"""A detector's box loss is taken over the positive cells. Class ids start at 1 here and background is 0, but the selection
compares with a class number that never occurs, so the sum is over nothing.
Origin: "box regression loss is always 0" issues; retold."""
import torch
from torch import nn
import torch.nn.functional as F

BACKGROUND, OBJECT = 0, 2


class GridDetector(nn.Module):
    def __init__(self, c=6):
        super().__init__()
        self.trunk = nn.Sequential(nn.Conv2d(3, c, 3, stride=2, padding=1), nn.SiLU())
        self.cls = nn.Conv2d(c, 2, 1)
        self.box = nn.Conv2d(c, 4, 1)

    def forward(self, x):
        f = self.trunk(x)
        return self.cls(f), self.box(f).permute(0, 2, 3, 1)


def detection_loss(cls, box, labels, boxes):
    positive = labels == OBJECT  # <-- culprit
    n = max(int(positive.sum()), 1)
    loss_box = F.smooth_l1_loss(box[positive], boxes[positive], reduction="sum") / n  # <-- culprit
    return F.cross_entropy(cls, labels) + 2.0 * loss_box


def make():
    torch.manual_seed(0)
    model = GridDetector()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0)
    labels = (torch.rand(2, 4, 4) < 0.3).long()
    return model, optimizer, (torch.rand(2, 3, 8, 8), labels, torch.rand(2, 4, 4, 4))


def loss_fn(model, batch):
    image, labels, boxes = batch
    cls, box = model(image)
    return detection_loss(cls, box, labels, boxes)


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
    "trunk.0.weight": "trained",
    "trunk.0.bias": "trained",
    "cls.weight": "trained",
    "cls.bias": "trained",
    "box.weight": "blocked",
    "box.bias": "blocked",
}
CAUSE = "zero_gradient"
ONE_BATCH = "unknown"

if __name__ == "__main__":
    train()
