"""Anchors count as positive above a threshold of overlap, which is 50 in the configuration. No anchor overlaps that much; the regression
branch gets a sum over nothing.
Origin: a detector's issue "bbox loss is always 0"; retold."""
import torch
from torch import nn
import torch.nn.functional as F

CONFIG = {"pos_iou": 50, "neg_iou": 0.4}  # <-- culprit


class AnchorHead(nn.Module):
    def __init__(self, c=6):
        super().__init__()
        self.cls, self.reg = nn.Linear(c, 1), nn.Linear(c, 4)

    def forward(self, f):
        return self.cls(f).squeeze(-1), self.reg(f)


def iou(a, b):
    top = torch.max(a[:, None, :2], b[None, :, :2])
    low = torch.min(a[:, None, 2:], b[None, :, 2:])
    inter = (low - top).clamp(min=0).prod(-1)
    area = lambda q: (q[:, 2:] - q[:, :2]).prod(-1)
    return inter / (area(a)[:, None] + area(b)[None] - inter)


def assign(anchors, boxes):
    best, which = iou(anchors, boxes).max(1)
    positive = best >= CONFIG["pos_iou"]  # <-- culprit
    return positive, which


def make():
    torch.manual_seed(0)
    head = AnchorHead()
    corner = torch.rand(10, 2) * 4
    anchors = torch.cat([corner, corner + 1 + torch.rand(10, 2)], -1)
    return head, torch.optim.SGD(head.parameters(), lr=0.02), (torch.randn(10, 6), anchors, anchors[:3] + 0.05)


def loss_fn(head, batch):
    features, anchors, boxes = batch
    logits, deltas = head(features)
    positive, which = assign(anchors, boxes)
    cls = F.binary_cross_entropy_with_logits(logits, positive.float())
    reg = F.smooth_l1_loss(deltas[positive], (boxes[which] - anchors)[positive], reduction="sum")
    return cls + reg / positive.sum().clamp(min=1)


def train(steps=3):
    net, opt, data = make()
    net.train()
    log = []
    for step in range(steps):
        value = loss_fn(net, data)
        opt.zero_grad(set_to_none=True)
        value.backward()
        opt.step()
        log.append(float(value.detach()))
    return net, log


KIND = "loss"
EXPECT = {
    "cls.weight": "trained",
    "cls.bias": "trained",
    "reg.weight": "blocked",
    "reg.bias": "blocked",
}
CAUSE = "zero_gradient"
ONE_BATCH = "unknown"

if __name__ == "__main__":
    train()
