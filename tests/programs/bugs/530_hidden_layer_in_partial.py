"""The decoder is kept as a functools.partial over a function that closes over its layers' dict. Nothing of it is registered.
Origin: "modules captured by partial are not found by parameters()" question; retold."""
from functools import partial

import torch
from torch import nn


def decode(layers, z, final=None):
    h = torch.relu(layers["up"](z))
    out = layers["out"](h)
    return final(out) if final else out


class Autoencoder(nn.Module):
    def __init__(self, d=8, z=3):
        super().__init__()
        self.encoder = nn.Linear(d, z)
        self.decoder = partial(decode, {"up": nn.Linear(z, 6), "out": nn.Linear(6, d)}, final=torch.sigmoid)  # <-- culprit

    def forward(self, x):
        return self.decoder(torch.tanh(self.encoder(x)))


def make():
    torch.manual_seed(0)
    model = Autoencoder()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), torch.rand(10, 8)


def loss_fn(model, x):
    return nn.functional.binary_cross_entropy(model(x), x)


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "registration"
EXPECT = {
    "encoder.weight": "trained",
    "encoder.bias": "trained",
    "?up.weight": "unregistered",
    "?up.bias": "unregistered",
    "?out.weight": "unregistered",
    "?out.bias": "unregistered",
}
CAUSE = "unregistered_container"

if __name__ == "__main__":
    train()
