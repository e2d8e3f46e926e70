"""The step is guarded by `if model.training`; a sanity validation before the loop left the model in eval mode.
Origin: made up after Lightning-style "sanity check" loops; model.eval() never undone."""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 10), nn.BatchNorm1d(10), nn.ReLU(), nn.Dropout(0.2), nn.Linear(10, 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    return model, optimizer, (torch.randn(16, 5), torch.randint(0, 2, (16,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


@torch.no_grad()
def validate(model, batch):
    model.eval()  # <-- culprit
    return loss_fn(model, batch).item()


def one_step(model, optimizer, batch):
    loss = loss_fn(model, batch)
    if model.training:  # <-- culprit
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


def train(steps=3):
    model, optimizer, batch = make()
    validate(model, batch)
    return model, [one_step(model, optimizer, batch) for _ in range(steps)]


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "1.weight", "1.bias", "4.weight", "4.bias")}
CAUSE = "no_backward"

if __name__ == "__main__":
    train()
