"""Healthy: warm-up from zero, then restarts that touch zero, multiplied by a slow decay; stepped per batch, the decay per epoch."""
import torch
from torch import nn
from torch.optim.lr_scheduler import ChainedScheduler, CosineAnnealingWarmRestarts, ExponentialLR, LambdaLR, SequentialLR


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3))
    return model, torch.optim.AdamW(model.parameters(), lr=1e-2), (torch.randn(20, 5), torch.randint(0, 3, (20,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(epochs=3, per_epoch=5):
    model, optimizer, (x, y) = make()
    warm = LambdaLR(optimizer, lambda step: step / 4)
    cosine = CosineAnnealingWarmRestarts(optimizer, T_0=3, eta_min=0.0)
    batchwise = SequentialLR(optimizer, [warm, cosine], milestones=[4])
    epochwise = ChainedScheduler([ExponentialLR(optimizer, gamma=0.9)])
    losses = []
    for _ in range(epochs):
        for part in torch.randperm(len(x)).chunk(per_epoch):
            optimizer.zero_grad()
            loss = loss_fn(model, (x[part], y[part]))
            loss.backward()
            optimizer.step()
            batchwise.step()
            losses.append(loss.item())
        epochwise.step()
    return model, losses


KIND = "healthy"  # NEEDS_LOOP
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
