"""Each batch names its task, and the task its head. One batch shows one of three.
Origin: multi-task fine-tuning; retold."""

import torch
from torch import nn
import torch.nn.functional as F


class Tasks(nn.Module):
    def __init__(self, d=5):
        super().__init__()
        self.body = nn.Linear(4, d)
        self.heads = nn.ModuleDict({"ner": nn.Linear(d, 3), "pos": nn.Linear(d, 4), "sent": nn.Linear(d, 2)})

    def forward(self, x, task):
        return self.heads[task](torch.tanh(self.body(x)))


def make():
    torch.manual_seed(0)
    model = Tasks()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(8, 4), "pos", torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    x, task, y = batch
    return F.cross_entropy(model(x, task), y)


def train(steps=6):
    model, optimizer, (x, _, y) = make()
    losses = []
    for step in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, (x, ("pos", "ner", "sent")[step % 3], y))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {"body.weight": "trained", "body.bias": "trained"} | {
    f"heads.{task}.{n}": "trained" for task in ("ner", "pos", "sent") for n in ("weight", "bias")
}

if __name__ == "__main__":
    train()
