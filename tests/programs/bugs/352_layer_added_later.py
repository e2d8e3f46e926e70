"""A builder collects the parameters, makes the optimizer and then appends the output layer, whose size depends on the data.
Origin: "add layer to nn.Sequential after creating optimizer" questions; retold."""
import torch
from torch import nn
import torch.nn.functional as F


def build_body(n_in, widths):
    body = nn.Sequential()
    for i, w in enumerate(widths):
        body.add_module(f"fc{i}", nn.Linear(n_in, w))
        body.add_module(f"act{i}", nn.Mish())
        n_in = w
    return body, n_in


def make():
    torch.manual_seed(0)
    x = torch.randn(18, 5)
    y = torch.randint(0, 4, (18,))
    model, width = build_body(5, [8, 8])
    optimizer = torch.optim.NAdam(model.parameters(), lr=2e-3)  # <-- culprit
    classes = int(y.max()) + 1
    model.add_module("out", nn.Linear(width, classes))  # <-- culprit
    return model, optimizer, (x, y)


def loss_fn(model, batch):
    x, y = batch
    return F.cross_entropy(model(x), y)


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for step in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "optimizer"
EXPECT = {
    "fc0.weight": "trained",
    "fc0.bias": "trained",
    "fc1.weight": "trained",
    "fc1.bias": "trained",
    "out.weight": "excluded",
    "out.bias": "excluded",
}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
