"""Mixed precision on the CPU: scale, unscale and update are there; `scaler.step(optimizer)` got lost when clipping was added.
Origin: made up after AMP recipe questions."""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 4))
    return model, torch.optim.AdamW(model.parameters(), lr=1e-3), (torch.randn(8, 8), torch.randint(0, 4, (8,)))


def loss_fn(model, batch):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    scaler = torch.amp.GradScaler("cpu", init_scale=128.0)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=True)  # <-- culprit
        loss = loss_fn(model, batch)
        scaler.scale(loss).backward()  # <-- culprit
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)  # <-- culprit
        scaler.update()  # <-- culprit
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
