"""Per-layer scales as a plain list of Parameters.
Origin: nn.ParameterList docs and threads; retold."""
import torch
from torch import nn


class DeepScale(nn.Module):
    def __init__(self, d=6, depth=3):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(d, d) for _ in range(depth))
        self.scales = []
        for _ in range(depth):
            self.scales.append(nn.Parameter(torch.full((d,), 0.5)))  # <-- culprit
        self.out = nn.Linear(d, 1)

    def forward(self, x):
        for layer, scale in zip(self.layers, self.scales):
            x = x + scale * torch.tanh(layer(x))
        return self.out(x)


def make():
    torch.manual_seed(0)
    model = DeepScale()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    return model, optimizer, (torch.randn(12, 6), torch.randn(12, 1))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.mse_loss(model(x), y)


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
    "layers.0.weight": "trained",
    "layers.0.bias": "trained",
    "layers.1.weight": "trained",
    "layers.1.bias": "trained",
    "layers.2.weight": "trained",
    "layers.2.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
    "?scales.0": "unregistered",
    "?scales.1": "unregistered",
    "?scales.2": "unregistered",
}
CAUSE = "unregistered_container"

if __name__ == "__main__":
    train()
