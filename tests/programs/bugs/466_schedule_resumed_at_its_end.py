"""Fine-tuning loads the pre-training's scheduler state, whose last epoch is the end of the decay; the schedule steps first in each round.
Origin: made up after resume scripts."""
import torch
from torch import nn


def decay(step, total=100):
    return max(0.0, 1.0 - step / total)


def build():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, decay)  # <-- culprit
    scheduler.load_state_dict({"last_epoch": 100, "base_lrs": [0.1], "lr_lambdas": [None], "_step_count": 101, "_last_lr": [0.0]})  # <-- culprit
    return model, optimizer, (torch.randn(8, 5), torch.randint(0, 3, (8,))), scheduler


def make():
    return build()[:3]


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch, scheduler = build()
    losses = []
    for _ in range(steps):
        scheduler.step()  # <-- culprit
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "lr_zero"

if __name__ == "__main__":
    train()
