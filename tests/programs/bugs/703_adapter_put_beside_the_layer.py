"""Adapters are injected into a library-like model: each wrapped projection is put under a new name, beside the old one, which
forward goes on to call.
Origin: adapter injection by setattr; retold."""
import math

import torch
from torch import nn


class LoraLinear(nn.Module):
    def __init__(self, base, r=2, alpha=4):
        super().__init__()
        self.base = base
        self.scaling = alpha / r
        self.lora_a = nn.Parameter(torch.empty(r, base.in_features))
        self.lora_b = nn.Parameter(torch.zeros(base.out_features, r))
        nn.init.kaiming_uniform_(self.lora_a, a=math.sqrt(5))

    def forward(self, x):
        return self.base(x) + x @ self.lora_a.t() @ self.lora_b.t() * self.scaling


class SelfAttention(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.query, self.key, self.value = nn.Linear(d, d), nn.Linear(d, d), nn.Linear(d, d)

    def forward(self, x):
        weights = (self.query(x) @ self.key(x).transpose(1, 2)).softmax(-1)
        return x + weights @ self.value(x)


class Encoder(nn.Module):
    def __init__(self, d=6, layers=2, vocab=15):
        super().__init__()
        self.embed = nn.Embedding(vocab, d)
        self.layers = nn.ModuleList(SelfAttention(d) for _ in range(layers))
        self.classifier = nn.Linear(d, 3)

    def forward(self, ids):
        h = self.embed(ids)
        for layer in self.layers:
            h = layer(h)
        return self.classifier(h.mean(1))


def inject(model, targets):
    for name, module in list(model.named_modules()):
        owner, _, leaf = name.rpartition(".")
        if isinstance(module, nn.Linear) and leaf in targets:
            setattr(model.get_submodule(owner), f"lora_{leaf}", LoraLinear(module))  # <-- culprit
    for name, parameter in model.named_parameters():
        parameter.requires_grad = "lora_" in name or "classifier" in name


def make():
    torch.manual_seed(0)
    model = Encoder()
    inject(model, {"query", "value"})
    trainable = [p for p in model.parameters() if p.requires_grad]
    return model, torch.optim.AdamW(trainable, lr=1e-2), (torch.randint(0, 15, (8, 5)), torch.randint(0, 3, (8,)))


def loss_fn(model, batch):
    ids, target = batch
    return nn.functional.cross_entropy(model(ids), target)


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "forward"
EXPECT = {
    "classifier.weight": "trained",
    "classifier.bias": "trained",
    **{f"layers.{n}.lora_{leaf}.lora_{x}": "unreachable" for n in (0, 1) for leaf in ("query", "value") for x in "ab"},
    **{f"layers.{n}.{leaf}.{x}": "frozen" for n in (0, 1) for leaf in ("query", "key") for x in ("weight", "bias")},
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
