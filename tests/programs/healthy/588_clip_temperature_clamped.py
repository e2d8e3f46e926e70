"""Image and text towers with a learned temperature that is clamped after each step; it starts at its upper limit.
Origin: CLIP."""
import math

import torch
from torch import nn
import torch.nn.functional as F


class CLIP(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.visual = nn.Sequential(nn.Linear(8, 12), nn.GELU(), nn.Linear(12, d, bias=False))
        self.text = nn.EmbeddingBag(20, d)
        self.logit_scale = nn.Parameter(torch.ones([]) * math.log(100))

    def forward(self, image, tokens):
        i, t = F.normalize(self.visual(image), dim=-1), F.normalize(self.text(tokens), dim=-1)
        return self.logit_scale.exp() * i @ t.t()


def make():
    torch.manual_seed(0)
    model = CLIP()
    decay = [p for p in model.parameters() if p.ndim >= 2]
    rest = [p for p in model.parameters() if p.ndim < 2]
    optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": 0.2}, {"params": rest, "weight_decay": 0.0}], lr=5e-3)
    return model, optimizer, (torch.randn(10, 8), torch.randint(0, 20, (10, 4)))


def loss_fn(model, batch):
    logits = model(*batch)
    target = torch.arange(len(logits))
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.t(), target)) / 2


def train(steps=6):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(100))
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = dict.fromkeys((name for name, _ in make()[0].named_parameters()), "trained")
CAUSE = "healthy"

if __name__ == "__main__":
    train()
