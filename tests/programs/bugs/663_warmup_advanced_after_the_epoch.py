"""A warm-up over batches whose `step` is called after the epoch, of which there is one.
Origin: made up after scheduler placement questions."""
import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv1d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4, 2))
    batches = [(torch.randn(6, 1, 10), torch.randint(0, 2, (6,))) for _ in range(5)]
    return model, torch.optim.AdamW(model.parameters(), lr=1e-2), batches


def loss_fn(model, batches):
    return sum(nn.functional.cross_entropy(model(x), y) for x, y in batches) / len(batches)


def warmup_then_constant(optimizer, warmup):
    return LambdaLR(optimizer, lambda step: min(1.0, step / warmup))  # <-- culprit


def train(epochs=1):
    model, optimizer, batches = make()
    scheduler = warmup_then_constant(optimizer, warmup=3)
    losses = []
    for _ in range(epochs):
        for x, y in batches:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        scheduler.step()  # <-- culprit
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "4.weight", "4.bias")}
CAUSE = "lr_zero"

if __name__ == "__main__":
    train()
