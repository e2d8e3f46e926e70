"""Adaptive computation: the output object has logits and the probability of halting; the loss takes the logits only.
Origin: code review; retold."""
from dataclasses import dataclass

import torch
from torch import nn
import torch.nn.functional as F


@dataclass
class Output:
    logits: torch.Tensor
    halting: torch.Tensor


class Adaptive(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.cell, self.out, self.halt = nn.GRUCell(4, d), nn.Linear(d, 3), nn.Linear(d, 1)

    def forward(self, x):
        h, stops = torch.zeros(len(x), 6), []
        for _ in range(3):
            h = self.cell(x, h)
            stops.append(self.halt(h).sigmoid())
        halting = torch.cat(stops, dim=-1)
        return Output(logits=self.out(h), halting=halting)


def make():
    torch.manual_seed(0)
    model = Adaptive()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(8, 4), torch.randint(0, 3, (8,)))


def loss_fn(model, batch):
    x, y = batch
    output = model(x)
    task = F.cross_entropy(output.logits, y)  # <-- culprit
    return task


def train(steps=3):
    model, optimizer, batch = make()
    curve = []
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        optimizer.zero_grad()
        curve.append(loss.item())
    return model, curve


KIND = "loss"
EXPECT = {
    "cell.weight_ih": "trained",
    "cell.weight_hh": "trained",
    "cell.bias_ih": "trained",
    "cell.bias_hh": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
    "halt.weight": "unreachable",
    "halt.bias": "unreachable",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
