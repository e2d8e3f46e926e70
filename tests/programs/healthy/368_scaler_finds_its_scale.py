"""GradScaler starts far too high and skips the first dozen steps until its scale fits. Origin: amp recipe."""
import torch
from torch import nn
import torch.nn.functional as F


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(16, 8), 10 * torch.randn(16, 1))


def loss_fn(model, b):
    with torch.autocast("cpu", dtype=torch.float16):
        out = model(b[0])
    return F.mse_loss(out.float(), b[1])


def train(steps=30):
    model, optimizer, batch = make()
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0 ** 28)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "0.weight": "trained",
    "0.bias": "trained",
    "2.weight": "trained",
    "2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
