"""A control branch between two zero-initialised projections and a frozen base: the first step moves the outer one only, then the rest.
Origin: Zhang et al. 2023."""
import torch
from torch import nn
import torch.nn.functional as F


def zeroed(layer):
    for p in layer.parameters():
        nn.init.zeros_(p)
    return layer


class Controlled(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.base = nn.Sequential(nn.Linear(4, d), nn.SiLU()).requires_grad_(False)
        self.hint, self.copy, self.back = zeroed(nn.Linear(3, 4)), nn.Linear(4, d), zeroed(nn.Linear(d, d))
        self.out = nn.Linear(d, 4).requires_grad_(False)

    def forward(self, x, hint):
        control = self.back(F.silu(self.copy(x + self.hint(hint))))
        return self.out(self.base(x) + control)


def make():
    torch.manual_seed(0)
    model = Controlled()
    trainable = [p for p in model.parameters() if p.requires_grad]
    return model, torch.optim.AdamW(trainable, lr=1e-2), (torch.randn(9, 4), torch.randn(9, 3), torch.randn(9, 4))


def loss_fn(model, batch):
    x, hint, y = batch
    return F.mse_loss(model(x, hint), y)


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


KIND = "healthy"
EXPECT = {
    "hint.weight": "trained",
    "hint.bias": "trained",
    "copy.weight": "trained",
    "copy.bias": "trained",
    "back.weight": "trained",
    "back.bias": "trained",
    "base.0.weight": "frozen",
    "base.0.bias": "frozen",
    "out.weight": "frozen",
    "out.bias": "frozen",
}
INTENT = {"base.*": "pretrained", "out.*": "pretrained"}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
