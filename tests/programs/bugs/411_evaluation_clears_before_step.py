"""`evaluate()` is called between backward and step to log the loss before the update; it zeroes the model's gradients "to be safe".
Origin: made up after "zero_grad in validation" questions."""
import torch
from torch import nn


def evaluate(model, data):
    model.eval()
    model.zero_grad()  # <-- culprit
    with torch.no_grad():
        loss = loss_fn(model, data).item()
    model.train()
    return loss


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.1), nn.ReLU(), nn.Linear(8, 1))
    return model, torch.optim.NAdam(model.parameters(), lr=1e-3), (torch.randn(10, 8), torch.rand(10, 1))


def loss_fn(model, batch):
    return nn.functional.binary_cross_entropy_with_logits(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    held_out = (torch.randn(4, 8), torch.rand(4, 1))
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        loss.backward()
        print(f"train {loss.item():.3f} validation {evaluate(model, held_out):.3f}")
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "3.weight", "3.bias")}
CAUSE = "cleared_early"

if __name__ == "__main__":
    train()
