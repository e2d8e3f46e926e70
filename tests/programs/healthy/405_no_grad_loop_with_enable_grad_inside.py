"""Healthy: the whole `fit` stands under `@torch.no_grad()` because it mostly evaluates; the training step enables gradients again."""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 2))
    return model, torch.optim.AdamW(model.parameters(), lr=1e-2), (torch.randn(8, 6), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


@torch.enable_grad()
def train_step(model, optimizer, batch):
    model.train()
    optimizer.zero_grad()
    loss = loss_fn(model, batch)
    loss.backward()
    optimizer.step()
    return loss.item()


@torch.no_grad()
def fit(model, optimizer, batch, epochs):
    history = []
    for _ in range(epochs):
        history.append(train_step(model, optimizer, batch))
        model.eval()
        accuracy = (model(batch[0]).argmax(-1) == batch[1]).float().mean()
        print(f"loss {history[-1]:.3f} accuracy {accuracy:.2f}")
    return history


def train(steps=3):
    model, optimizer, batch = make()
    return model, fit(model, optimizer, batch, steps)


KIND = "healthy"
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
