"""Gradient checkpointing, reentrant (with an input that needs gradient) and not; checkpoint_sequential too. Origin: torch documentation."""
import torch
from torch import nn
import torch.nn.functional as F


from torch.utils.checkpoint import checkpoint, checkpoint_sequential


class Deep(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.stem = nn.Linear(d, d)
        self.a, self.b = nn.Linear(d, d), nn.Linear(d, d)
        self.seq = nn.Sequential(nn.Linear(d, d), nn.Tanh(), nn.Linear(d, d), nn.Tanh())
        self.out = nn.Linear(d, 1)

    def forward(self, x):
        x = self.stem(x)
        x = checkpoint(lambda t: torch.tanh(self.a(t)), x, use_reentrant=True)
        x = checkpoint(self.b, x, use_reentrant=False)
        return self.out(checkpoint_sequential(self.seq, 2, x, use_reentrant=False))


def make():
    torch.manual_seed(0)
    model = Deep()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(5, 6), torch.randn(5, 1))


def loss_fn(model, b):
    return F.mse_loss(model(b[0]), b[1])


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


KIND = "healthy"
EXPECT = {
    "stem.weight": "trained",
    "stem.bias": "trained",
    "a.weight": "trained",
    "a.bias": "trained",
    "b.weight": "trained",
    "b.bias": "trained",
    "seq.0.weight": "trained",
    "seq.0.bias": "trained",
    "seq.2.weight": "trained",
    "seq.2.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
