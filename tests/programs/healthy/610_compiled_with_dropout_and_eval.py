"""The model is compiled, evaluated in between under no-grad, and its uncompiled self is saved and averaged.
Origin: nanoGPT-like trainers. NEEDS_LOOP"""
import copy

import torch
from torch import nn
import torch.nn.functional as F


class Tiny(nn.Module):
    def __init__(self, vocab=11, d=8):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(vocab, d), nn.Embedding(6, d)
        self.mlp = nn.Sequential(nn.LayerNorm(d), nn.Linear(d, 16), nn.GELU(), nn.Linear(16, d), nn.Dropout(0.1))
        self.head = nn.Linear(d, vocab, bias=False)
        self.head.weight = self.wte.weight

    def forward(self, idx, targets=None):
        x = self.wte(idx) + self.wpe(torch.arange(idx.shape[1]))
        x = x + self.mlp(x)
        logits = self.head(x)
        return logits, None if targets is None else F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def make():
    torch.manual_seed(0)
    model = Tiny()
    decay = {True: [], False: []}
    for p in model.parameters():
        decay[p.dim() >= 2].append(p)
    groups = [{"params": decay[True], "weight_decay": 0.1}, {"params": decay[False], "weight_decay": 0.0}]
    return model, torch.optim.AdamW(groups, lr=1e-2, betas=(0.9, 0.95)), torch.randint(0, 11, (4, 7))


def train(steps=6):
    model, optimizer, data = make()
    raw, model = model, torch.compile(model, backend="eager")
    average, losses = copy.deepcopy(raw).requires_grad_(False), []
    for step in range(steps):
        if step % 3 == 0:
            model.eval()
            with torch.no_grad():
                model(data[:, :-1], data[:, 1:])
            model.train()
        for micro in range(2):
            _, loss = model(data[2 * micro : 2 * micro + 2, :-1], data[2 * micro : 2 * micro + 2, 1:])
            (loss / 2).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        for a, p in zip(average.parameters(), raw.parameters()):
            a.lerp_(p.detach(), 0.1)
        losses.append(loss.item())
    return raw, losses


KIND = "healthy"
LAYERS = ("wte.weight", "wpe.weight", *(f"mlp.{i}.{k}" for i in (0, 1, 3) for k in ("weight", "bias")))
EXPECT = dict.fromkeys(LAYERS, "trained")
INTENT = {"average.*": "an average"}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
