"""Gradients of several shards are averaged by hand and written into `.grad` where there is one. Since `zero_grad` sets it to None, there never is.
Origin: old distributed training code on a new torch; retold."""
import torch
from torch import nn


def shard_gradients(model, shard):
    loss = loss_fn(model, shard)
    return torch.autograd.grad(loss, list(model.parameters())), loss.item()


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(16, 4), torch.randint(0, 2, (16,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3, workers=2):
    model, optimizer, (x, y) = make()
    shards = list(zip(x.chunk(workers), y.chunk(workers)))
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        results = [shard_gradients(model, shard) for shard in shards]
        for parameter, *gradients in zip(model.parameters(), *(g for g, _ in results)):
            if parameter.grad is not None:  # <-- culprit
                parameter.grad.copy_(torch.stack(gradients).mean(0))
        optimizer.step()
        losses.append(sum(value for _, value in results) / workers)
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "other"

if __name__ == "__main__":
    train()
