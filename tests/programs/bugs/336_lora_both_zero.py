"""LoRA by hand. Both factors are initialised to zero "so that training starts from the pretrained model". The gradient of each
is the other one times something: zero for ever.
Origin: LoRA reimplementation issues ("why must A be random"); retold."""
import math

import torch
from torch import nn
import torch.nn.functional as F


class LoRALinear(nn.Module):
    def __init__(self, base: nn.Linear, r=2, alpha=4):
        super().__init__()
        self.base = base
        for p in self.base.parameters():
            p.requires_grad_(False)
        self.lora_A = nn.Parameter(torch.empty(r, base.in_features))
        self.lora_B = nn.Parameter(torch.empty(base.out_features, r))
        self.scaling = alpha / math.sqrt(r)
        nn.init.zeros_(self.lora_A)  # <-- culprit
        nn.init.zeros_(self.lora_B)  # <-- culprit

    def forward(self, x):
        return self.base(x) + self.scaling * F.linear(F.linear(x, self.lora_A), self.lora_B)


class Model(nn.Module):
    def __init__(self, d=6, classes=3):
        super().__init__()
        self.q = nn.Linear(d, d)
        self.v = nn.Linear(d, d)
        self.cls = nn.Linear(d, classes)

    def forward(self, x):
        att = torch.softmax(self.q(x) @ x.transpose(1, 2), -1)
        return self.cls((att @ self.v(x)).mean(1))


def inject(model, names=("q", "v"), **kw):
    for name in names:
        setattr(model, name, LoRALinear(getattr(model, name), **kw))
    return model


def make():
    torch.manual_seed(0)
    model = inject(Model())
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    return model, optimizer, (torch.randn(6, 4, 6), torch.randint(0, 3, (6,)))


def loss_fn(model, batch):
    x, y = batch
    return F.cross_entropy(model(x), y)


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


KIND = "registration"
EXPECT = {
    "q.lora_A": "blocked",
    "q.lora_B": "blocked",
    "q.base.weight": "frozen",
    "q.base.bias": "frozen",
    "v.lora_A": "blocked",
    "v.lora_B": "blocked",
    "v.base.weight": "frozen",
    "v.base.bias": "frozen",
    "cls.weight": "trained",
    "cls.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
