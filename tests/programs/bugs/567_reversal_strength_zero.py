"""The strength of a gradient reversal rises with the progress of training; progress is an integer division, which is 0 until the very last
step. The adversary's private encoder only has a gradient through the reversal.
Origin: DANN reimplementation, "domain features do not change"; retold."""
import math

import torch
from torch import nn

EPOCHS = 30


class Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad):
        return grad.neg() * ctx.strength, None


class Net(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.task, self.style = nn.Linear(5, d), nn.Linear(5, d)
        self.label, self.domain = nn.Linear(d, 3), nn.Linear(d, 2)

    def forward(self, x, epoch):
        progress = epoch // EPOCHS  # <-- culprit
        strength = 2 / (1 + math.exp(-10 * progress)) - 1
        style = Reverse.apply(torch.tanh(self.style(x)), strength)
        return self.label(torch.tanh(self.task(x))), self.domain(style)


def make():
    torch.manual_seed(0)
    model = Net()
    model.epoch = 0
    batch = (torch.randn(10, 5), torch.randint(0, 3, (10,)), torch.randint(0, 2, (10,)))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), batch


def loss_fn(model, batch):
    x, y, d = batch
    labels, domains = model(x, model.epoch)
    return nn.functional.cross_entropy(labels, y) + nn.functional.cross_entropy(domains, d)


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for model.epoch in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "forward"
EXPECT = {
    "task.weight": "trained",
    "task.bias": "trained",
    "label.weight": "trained",
    "label.bias": "trained",
    "domain.weight": "trained",
    "domain.bias": "trained",
    "style.weight": "blocked",
    "style.bias": "blocked",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
