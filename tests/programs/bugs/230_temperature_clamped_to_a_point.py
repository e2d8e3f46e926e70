"""The logit scale is clamped after each step; both bounds are the same number.
Origin: made up after CLIP's logit_scale.clamp_(0, 4.6052)."""
import math

import torch
from torch import nn
import torch.nn.functional as F


class Clip(nn.Module):
    def __init__(self, d=5):
        super().__init__()
        self.image = nn.Linear(7, d)
        self.text = nn.Linear(6, d)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(100)))

    def forward(self, a, b):
        a, b = F.normalize(self.image(a), dim=1), F.normalize(self.text(b), dim=1)
        return self.logit_scale.exp() * a @ b.T


def make():
    torch.manual_seed(0)
    model = Clip()
    return model, torch.optim.AdamW(model.parameters(), lr=1e-2), (torch.randn(6, 7), torch.randn(6, 6))


def loss_fn(model, batch):
    logits = model(*batch)
    target = torch.arange(len(logits))
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def train(steps=3, bounds=(math.log(100), math.log(100))):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        model.logit_scale.data.clamp_(*bounds)  # <-- culprit
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"image.weight": "trained", "image.bias": "trained", "text.weight": "trained", "text.bias": "trained", "logit_scale": "replaced"}
CAUSE = "overwritten"

if __name__ == "__main__":
    train()
