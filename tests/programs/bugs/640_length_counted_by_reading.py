"""The number of batches for the schedule is counted by going through the batches. They come from a generator, so the loop finds none left.
Origin: "my generator is empty the second time" in training scripts with streamed data; retold."""
import torch
from torch import nn


def stream(n=6):
    generator = torch.Generator().manual_seed(1)
    for _ in range(n):
        x = torch.randn(8, 4, generator=generator)
        yield x, x.sum(1, keepdim=True)


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 1))
    return model, torch.optim.AdamW(model.parameters(), lr=1e-3), next(stream())


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train():
    model, optimizer, validation = make()
    batches = stream()
    total = sum(1 for _ in batches)  # <-- culprit
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-2, total_steps=total)
    losses = []
    for x, y in batches:  # <-- culprit
        loss = loss_fn(model, (x, y))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        print("validation", loss_fn(model, validation).item())
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "no_backward"

if __name__ == "__main__":
    train()
