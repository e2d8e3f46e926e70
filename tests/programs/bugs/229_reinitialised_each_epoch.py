"""model.apply(init_weights) slipped into the epoch loop.
Origin: made up after init_weights helpers."""
import torch
from torch import nn


def init_weights(m):
    if isinstance(m, nn.Linear):
        torch.manual_seed(42)
        nn.init.xavier_uniform_(m.weight)  # <-- culprit
        m.bias.data.fill_(0.01)  # <-- culprit


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 7), nn.ReLU(), nn.Linear(7, 2))
    return model, torch.optim.SGD(model.parameters(), lr=0.3), (torch.randn(10, 6), torch.randint(0, 2, (10,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        model.apply(init_weights)  # <-- culprit
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"0.weight": "replaced", "0.bias": "replaced", "2.weight": "replaced", "2.bias": "replaced"}
CAUSE = "overwritten"

if __name__ == "__main__":
    train()
