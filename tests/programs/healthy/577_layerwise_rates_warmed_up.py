"""Healthy: layer-wise rates that decay by a factor of 0.7, warmed up from zero by hand, with no decay for biases and norms."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, d=6, depth=4):
        super().__init__()
        self.embed = nn.Linear(4, d)
        self.layers = nn.ModuleList(nn.Sequential(nn.LayerNorm(d), nn.Linear(d, d), nn.GELU()) for _ in range(depth))
        self.head = nn.Linear(d, 2)

    def forward(self, x):
        x = self.embed(x)
        for layer in self.layers:
            x = x + layer(x)
        return self.head(x)


def depth_of(name, depth):
    if name.startswith("embed"):
        return 0
    return int(name.split(".")[1]) + 1 if name.startswith("layers") else depth + 1


def groups(model, lr=1e-2, factor=0.7):
    depth, found = len(model.layers), {}
    for name, p in model.named_parameters():
        level, plain = depth_of(name, depth), p.ndim == 1
        group = found.setdefault((level, plain), {"params": [], "peak": lr * factor ** (depth + 1 - level), "weight_decay": 0.0 if plain else 0.01})
        group["params"].append(p)
    return list(found.values())


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.AdamW(groups(model), lr=0.0), (torch.randn(9, 4), torch.randint(0, 2, (9,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=7, warmup=4):
    model, optimizer, batch = make()
    losses = []
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * min(1.0, step / warmup)
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"  # NEEDS_LOOP
EXPECT = {n: "trained" for n in ("embed.weight", "layers.0.0.weight", "layers.3.1.bias", "head.weight", "head.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
