"""Two branches are mixed by a coefficient from the configuration, which was meant as "use both": mix: 1.0. The second branch is
multiplied by 1 - 1.
Origin: wide-and-deep / gated fusion questions; retold."""
from types import SimpleNamespace

import torch
from torch import nn
import torch.nn.functional as F

cfg = SimpleNamespace(fields=6, vocab=9, d=4, mix=1.0, lr=0.01)  # <-- culprit


class WideDeep(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.mix = cfg.mix
        self.wide = nn.Embedding(cfg.vocab, 1)
        self.deep_embed = nn.Embedding(cfg.vocab, cfg.d)
        self.deep = nn.Sequential(nn.Linear(cfg.fields * cfg.d, 10), nn.ReLU(), nn.Linear(10, 1))

    def forward(self, ids):
        wide = self.wide(ids).sum(1)
        deep = self.deep(self.deep_embed(ids).flatten(1))
        return self.mix * wide + (1 - self.mix) * deep  # <-- culprit


def make():
    torch.manual_seed(0)
    model = WideDeep(cfg)
    optimizer = torch.optim.Adagrad(model.parameters(), lr=cfg.lr)
    return model, optimizer, (torch.randint(0, 9, (16, 6)), torch.randint(0, 2, (16, 1)).float())


def loss_fn(model, batch):
    ids, click = batch
    return F.binary_cross_entropy_with_logits(model(ids), click)


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        for p in model.parameters():
            p.grad = None
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "forward"
EXPECT = {
    "wide.weight": "trained",
    "deep_embed.weight": "blocked",
    "deep.0.weight": "blocked",
    "deep.0.bias": "blocked",
    "deep.2.weight": "blocked",
    "deep.2.bias": "blocked",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
