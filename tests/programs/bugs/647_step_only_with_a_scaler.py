"""Mixed precision is optional. With it the scaler steps the optimizer; the `else` for bfloat16, which needs no scaler, was forgotten.
Origin: made up after trainers with fp16 and bf16 switches."""
from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class Precision:
    amp: bool = True
    dtype: torch.dtype = torch.bfloat16


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    return model, torch.optim.AdamW(model.parameters(), lr=1e-3), (torch.randn(10, 6), torch.randint(0, 3, (10,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]).float(), batch[1])


def train(steps=3, precision=Precision()):
    model, optimizer, batch = make()
    scaler = torch.amp.GradScaler("cpu", enabled=precision.amp and precision.dtype is torch.float16)  # <-- culprit
    losses = []
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=precision.dtype, enabled=precision.amp):
            loss = loss_fn(model, batch)
        scaler.scale(loss).backward()
        if scaler.is_enabled():  # <-- culprit
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            scaler.step(optimizer)
            scaler.update()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
