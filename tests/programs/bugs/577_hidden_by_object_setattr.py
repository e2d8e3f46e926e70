"""Two modules refer to each other, so one puts the other in by object.__setattr__ to stop the recursion; the other was nowhere else.
Origin: "RecursionError in named_modules, circular reference" answers; retold."""
import torch
from torch import nn


class Decoder(nn.Module):
    def __init__(self, owner):
        super().__init__()
        object.__setattr__(self, "owner", owner)
        self.lin = nn.Linear(4, 6)

    def forward(self, z):
        return self.lin(z) * self.owner.scale


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(6))
        self.encoder = nn.Linear(6, 4)
        object.__setattr__(self, "decoder", Decoder(self))  # <-- culprit

    def forward(self, x):
        return self.decoder(torch.tanh(self.encoder(x)))


def make():
    torch.manual_seed(0)
    model = Autoencoder()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), torch.randn(9, 6)


def loss_fn(model, x):
    return nn.functional.mse_loss(model(x), x)


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
    "scale": "trained",
    "encoder.weight": "trained",
    "encoder.bias": "trained",
    "?decoder.lin.weight": "unregistered",
    "?decoder.lin.bias": "unregistered",
}
CAUSE = "unregistered_container"

if __name__ == "__main__":
    train()
