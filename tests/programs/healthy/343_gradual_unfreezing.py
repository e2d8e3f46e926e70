"""Gradual unfreezing: epoch by epoch a layer more, added to the optimizer as it thaws. Origin: ULMFiT."""
import torch
from torch import nn
import torch.nn.functional as F


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 2))
    model[0].requires_grad_(False)
    model[2].requires_grad_(False)
    return model, torch.optim.Adam(model[4].parameters(), lr=1e-2), (torch.randn(8, 4), torch.randint(0, 2, (8,)))


def loss_fn(model, b):
    return F.cross_entropy(model(b[0]), b[1])


def train(epochs=3, per_epoch=2):
    model, optimizer, batch = make()
    losses = []
    for epoch in range(epochs):
        if epoch:
            layer = model[4 - 2 * epoch]
            layer.requires_grad_(True)
            optimizer.add_param_group({"params": layer.parameters(), "lr": 1e-2 / 2 ** epoch})
        for _ in range(per_epoch):
            optimizer.zero_grad()
            loss = loss_fn(model, batch)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "0.weight": "trained",
    "0.bias": "trained",
    "2.weight": "trained",
    "2.bias": "trained",
    "4.weight": "trained",
    "4.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
