"""A panoptic model returns a dict of losses; the weights' dict spells one of them differently, and the sum runs over the weights.
Origin: DETR-like training code, "mask head does not train"; retold."""
import torch
from torch import nn
import torch.nn.functional as F

WEIGHTS = {"loss_ce": 1.0, "loss_bbox": 5.0, "loss_masks": 2.0}


class Panoptic(nn.Module):
    def __init__(self, d=8):
        super().__init__()
        self.trunk = nn.Linear(6, d)
        self.cls, self.box, self.mask = nn.Linear(d, 3), nn.Linear(d, 4), nn.Linear(d, 9)

    def forward(self, x):
        h = F.gelu(self.trunk(x))
        return {"logits": self.cls(h), "boxes": self.box(h).sigmoid(), "masks": self.mask(h)}


class Criterion:
    def __call__(self, out, target):
        return {
            "loss_ce": F.cross_entropy(out["logits"], target["labels"]),
            "loss_bbox": F.l1_loss(out["boxes"], target["boxes"]),
            "loss_mask": F.binary_cross_entropy_with_logits(out["masks"], target["masks"]),
        }


def make():
    torch.manual_seed(0)
    model = Panoptic()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0)
    target = {"labels": torch.randint(0, 3, (7,)), "boxes": torch.rand(7, 4), "masks": torch.rand(7, 9).round()}
    return model, optimizer, (torch.randn(7, 6), target)


def loss_fn(model, batch):
    x, target = batch
    losses = Criterion()(model(x), target)
    return sum(losses[k] * w for k, w in WEIGHTS.items() if k in losses)  # <-- culprit


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
    "trunk.weight": "trained",
    "trunk.bias": "trained",
    "cls.weight": "trained",
    "cls.bias": "trained",
    "box.weight": "trained",
    "box.bias": "trained",
    "mask.weight": "unreachable",
    "mask.bias": "unreachable",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
