"""Linear decay to zero over `total` steps; with fewer batches than the accumulation the integer division gives a total of 0.
Origin: made up after get_linear_schedule_with_warmup questions."""
import torch
from torch import nn


def linear_schedule(optimizer, warmup, total):
    def factor(step):
        if step < warmup:
            return step / max(1, warmup)
        return max(0.0, (total - step) / max(1, total - warmup))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)  # <-- culprit


def build(batches=3, accumulation=4, epochs=2):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    total = batches // accumulation * epochs  # <-- culprit
    scheduler = linear_schedule(optimizer, warmup=0, total=total)  # <-- culprit
    return model, optimizer, (torch.randn(8, 5), torch.randint(0, 2, (8,))), scheduler


def make():
    return build()[:3]


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=4):
    model, optimizer, batch, scheduler = build()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return model, losses


KIND = "optimizer"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "lr_zero"

if __name__ == "__main__":
    train()
