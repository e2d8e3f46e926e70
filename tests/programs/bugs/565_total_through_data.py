"""The loss is accumulated in a tensor made before the loop over the scales, with += on .data, since the plain += had raised an in-place error.
Only the term that is added at the end has a gradient.
Origin: "a leaf Variable that requires grad is being used in an in-place operation" answers; retold."""
import torch
from torch import nn


class Pyramid(nn.Module):
    def __init__(self, scales=2):
        super().__init__()
        self.coarse = nn.ModuleList(nn.Conv1d(1, 2, 3, padding=1) for _ in range(scales))
        self.fine = nn.Conv1d(1, 1, 3, padding=1)

    def forward(self, x):
        return [conv(nn.functional.avg_pool1d(x, 2**i)) for i, conv in enumerate(self.coarse)], self.fine(x)


def make():
    torch.manual_seed(0)
    model = Pyramid()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), torch.randn(4, 1, 16)


def loss_fn(model, x):
    coarse, fine = model(x)
    total = torch.zeros((), requires_grad=True)
    for level in coarse:
        total.data += level.pow(2).mean().data  # <-- culprit
    return total + (fine - x).abs().mean()


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


KIND = "loss"
EXPECT = {
    "coarse.0.weight": "unreachable",
    "coarse.0.bias": "unreachable",
    "coarse.1.weight": "unreachable",
    "coarse.1.bias": "unreachable",
    "fine.weight": "trained",
    "fine.bias": "trained",
    "?total": "unregistered",
}
CAUSE = "data_access"

if __name__ == "__main__":
    train()
