"""At the start of each round the optimizer is rebuilt - on a model that the factory makes anew, not on the one in training.
Origin: made up after federated-learning client loops."""
import torch
from torch import nn


def new_model(width=9):
    return nn.Sequential(nn.Linear(5, width), nn.ReLU(), nn.Linear(width, 2))


def configure(lr):
    return torch.optim.SGD(new_model().parameters(), lr=lr)  # <-- culprit


def make():
    torch.manual_seed(0)
    model = new_model()
    return model, configure(0.1), (torch.randn(8, 5), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer = configure(0.1)
        model.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"0.weight": "excluded", "0.bias": "excluded", "2.weight": "excluded", "2.bias": "excluded",
          "!0.weight": "stale", "!0.bias": "stale", "!2.weight": "stale", "!2.bias": "stale"}
CAUSE = "stale_reference"

if __name__ == "__main__":
    train()
