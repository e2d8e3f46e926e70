"""The optimizer's groups are chosen by what names begin with. The model has `decoder`, the list says `decoders`."""

import torch
from torch import nn


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(8, 3)
        self.decoder = nn.Linear(3, 8)

    def forward(self, x):
        return self.decoder(torch.tanh(self.encoder(x)))


def configure(model):
    slow = [p for name, p in model.named_parameters() if name.startswith("encoder.")]
    fast = [p for name, p in model.named_parameters() if name.startswith("decoders.")]  # <-- culprit
    return torch.optim.SGD([{"params": slow, "lr": 0.01}, {"params": fast, "lr": 0.1}], lr=0.1)


def make():
    torch.manual_seed(0)
    model = Autoencoder()
    return model, configure(model), torch.randn(16, 8)


def loss_fn(model, batch):
    return (model(batch) - batch).square().mean()


def train(steps=5):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "optimizer"
EXPECT = {
    **{f"encoder.{n}": "trained" for n in ("weight", "bias")},
    **{f"decoder.{n}": "excluded" for n in ("weight", "bias")},
}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
