"""bfloat16 autocast, fused AdamW, clipping with foreach, channels_last. Origin: performance guide."""
import torch
from torch import nn
import torch.nn.functional as F


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.GroupNorm(2, 4), nn.SiLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)).to(memory_format=torch.channels_last)
    return model, torch.optim.AdamW(model.parameters(), lr=1e-2, fused=True), (torch.randn(6, 3, 8, 8), torch.randint(0, 3, (6,)))


def loss_fn(model, b):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = model(b[0])
    return F.cross_entropy(out.float(), b[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=False)
        loss = loss_fn(model, batch)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=True)
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "0.weight": "trained",
    "0.bias": "trained",
    "1.weight": "trained",
    "1.bias": "trained",
    "5.weight": "trained",
    "5.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
