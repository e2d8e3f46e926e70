"""Healthy: architecture search in the manner of DARTS: weights on the training batch, architecture logits on the validation batch,
an optimizer each, taking turns. NEEDS_LOOP"""
import torch
from torch import nn


class MixedOp(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.ops = nn.ModuleList([nn.Linear(dim, dim), nn.Sequential(nn.Linear(dim, dim), nn.ReLU()), nn.Identity()])

    def forward(self, x, weights):
        return sum(w * op(x) for w, op in zip(weights, self.ops))


class SuperNet(nn.Module):
    def __init__(self, dim=5, cells=2):
        super().__init__()
        self.cells = nn.ModuleList(MixedOp(dim) for _ in range(cells))
        self.alphas = nn.Parameter(1e-3 * torch.randn(cells, 3))
        self.head = nn.Linear(dim, 3)

    def weights(self):
        return [p for n, p in self.named_parameters() if n != "alphas"]

    def forward(self, x):
        for cell, alpha in zip(self.cells, self.alphas.softmax(-1)):
            x = cell(x, alpha)
        return self.head(x)


def make():
    torch.manual_seed(0)
    net = SuperNet()
    optimizers = [torch.optim.SGD(net.weights(), lr=0.05, momentum=0.9), torch.optim.Adam([net.alphas], lr=3e-3, betas=(0.5, 0.999))]
    return net, optimizers, tuple((torch.randn(9, 5), torch.randint(0, 3, (9,))) for _ in range(2))


def loss_fn(net, batch):
    return sum(nn.functional.cross_entropy(net(x), y) for x, y in batch)


def train(steps=3):
    net, (w_optim, a_optim), (train_batch, valid_batch) = make()
    losses = []
    for _ in range(steps):
        a_optim.zero_grad()
        nn.functional.cross_entropy(net(valid_batch[0]), valid_batch[1]).backward()
        a_optim.step()
        w_optim.zero_grad()
        loss = nn.functional.cross_entropy(net(train_batch[0]), train_batch[1])
        loss.backward()
        nn.utils.clip_grad_norm_(net.weights(), 5.0)
        w_optim.step()
        losses.append(loss.item())
    return net, losses


KIND = "healthy"
EXPECT = {"alphas": "trained", "head.weight": "trained", "head.bias": "trained", "cells.0.ops.0.weight": "trained", "cells.1.ops.1.0.bias": "trained"}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
