"""One optimizer for each network, kept in a dict under the class name. Two of the networks are of the same class; the second one's optimizer
takes the place of the first one's.
Origin: made up after multi-network trainers."""
import torch
from torch import nn


class MLP(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.inner, self.outer = nn.Linear(i, 6), nn.Linear(6, o)

    def forward(self, x):
        return self.outer(torch.tanh(self.inner(x)))


class Gate(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.mix = nn.Linear(d, d)

    def forward(self, x):
        return x * torch.sigmoid(self.mix(x))


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.gate, self.decoder = MLP(5, 4), Gate(4), MLP(4, 5)

    def forward(self, x):
        return self.decoder(self.gate(self.encoder(x)))


def make():
    torch.manual_seed(0)
    model = Agent()
    optimizers = {type(part).__name__: torch.optim.Adam(part.parameters(), lr=1e-3) for part in model.children()}  # <-- culprit
    return model, optimizers, torch.randn(9, 5)


def loss_fn(model, x):
    return nn.functional.mse_loss(model(x), x)


def train(steps=3):
    model, optimizers, x = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, x)
        for optimizer in optimizers.values():
            optimizer.zero_grad()
        loss.backward()
        for optimizer in optimizers.values():
            optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {
    **{f"encoder.{n}": "excluded" for n in ("inner.weight", "inner.bias", "outer.weight", "outer.bias")},
    **{f"decoder.{n}": "trained" for n in ("inner.weight", "inner.bias", "outer.weight", "outer.bias")},
    "gate.mix.weight": "trained",
    "gate.mix.bias": "trained",
}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
