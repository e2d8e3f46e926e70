"""Healthy: bfloat16 gradients are added up in float32 buffers and taken from `.grad` after each micro-batch; before the step they come
back. NEEDS_LOOP"""
import torch
from torch import nn


class Accumulator:
    def __init__(self, model):
        self.model = model
        self.sums = {}

    def take(self):
        for name, p in self.model.named_parameters():
            self.sums[name] = self.sums.get(name, 0) + p.grad.float()
            p.grad = None

    def give(self, count):
        for name, p in self.model.named_parameters():
            p.grad = (self.sums.pop(name) / count).to(p.dtype)


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2)).bfloat16()
    return model, torch.optim.SGD(model.parameters(), lr=0.5), (torch.randn(9, 4).bfloat16(), torch.randint(0, 2, (9,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]).float(), batch[1])


def train(steps=9):
    model, optimizer, (x, y) = make()
    accumulator, losses = Accumulator(model), []
    for i in range(steps):
        loss = loss_fn(model, (x[i % 3 :: 3], y[i % 3 :: 3]))
        loss.backward()
        accumulator.take()
        if i % 3 == 2:
            accumulator.give(3)
            optimizer.step()
            optimizer.zero_grad()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
