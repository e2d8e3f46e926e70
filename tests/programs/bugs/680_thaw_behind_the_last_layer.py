"""The last layers are to be thawed, from number 12 on: the model the recipe was written for has sixteen, this one four.
Origin: fine-tuning scripts for a larger model; retold."""

import torch
from torch import nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self, d=4, depth=4):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(d, d) for _ in range(depth))
        self.head = nn.Linear(d, 2)

    def forward(self, x):
        for layer in self.layers:
            x = torch.tanh(layer(x))
        return self.head(x)


def prepared(model, first=12):  # <-- culprit
    for p in model.layers.parameters():
        p.requires_grad = False
    for p in model.layers[first:].parameters():  # <-- culprit
        p.requires_grad = True
    return model


def make():
    torch.manual_seed(0)
    model = prepared(Net())
    trainable = [p for p in model.parameters() if p.requires_grad]
    return model, torch.optim.Adam(trainable, lr=1e-2), (torch.randn(8, 4), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    x, y = batch
    return F.cross_entropy(model(x), y)


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for step in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "setup"
EXPECT = {f"layers.{i}.{n}": "frozen" for i in range(4) for n in ("weight", "bias")} | {
    "head.weight": "trained",
    "head.bias": "trained",
}
CAUSE = "frozen"

if __name__ == "__main__":
    train()
