"""Adapters with the usual alpha / r. Both are integers here, and the division is one, too.
Origin: a LoRA fork, "lora_alpha=8, r=16 does nothing"; retold."""
import torch
from torch import nn


class Adapter(nn.Module):
    def __init__(self, base, r, alpha):
        super().__init__()
        self.base = base.requires_grad_(False)
        self.down = nn.Linear(base.in_features, r, bias=False)
        self.up = nn.Linear(r, base.out_features, bias=False)
        nn.init.normal_(self.up.weight, std=0.02)
        self.scaling = alpha // r  # <-- culprit

    def forward(self, x):
        return self.base(x) + self.up(self.down(x)) * self.scaling


def add_adapters(model, r=16, alpha=8):
    for name, child in list(model.named_children()):
        if isinstance(child, nn.Linear) and name != "2":
            setattr(model, name, Adapter(child, r, alpha))
    return model


def make():
    torch.manual_seed(0)
    model = add_adapters(nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3)))
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3, weight_decay=0.0)
    return model, optimizer, (torch.randn(10, 5), torch.randint(0, 3, (10,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    curve = []
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        optimizer.zero_grad()
        curve.append(loss.item())
    return model, curve


KIND = "registration"
EXPECT = {
    "0.base.weight": "frozen",
    "0.base.bias": "frozen",
    "0.down.weight": "blocked",
    "0.up.weight": "blocked",
    "2.weight": "trained",
    "2.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
