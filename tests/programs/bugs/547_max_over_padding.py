"""Max over time, with the padding set to a large number that was meant to be negative. The maximum is the padding, everywhere.
Origin: code review of a masked max pooling; retold."""
import torch
from torch import nn


class Pooled(nn.Module):
    def __init__(self, d=4, h=7):
        super().__init__()
        self.frame = nn.Sequential(nn.Linear(d, h), nn.Tanh())
        self.clip = nn.Linear(h, 2)

    def forward(self, x, lengths):
        h = self.frame(x)
        pad = torch.arange(x.shape[1]) >= lengths.unsqueeze(1)
        h = h.masked_fill(pad.unsqueeze(-1), 1e2)  # <-- culprit
        return self.clip(h.max(dim=1).values)


def make():
    torch.manual_seed(0)
    model = Pooled()
    batch = (torch.randn(6, 5, 4), torch.tensor([3, 4, 2, 1, 4, 3]), torch.randint(0, 2, (6,)))
    return model, torch.optim.SGD(model.parameters(), lr=0.001), batch


def loss_fn(model, batch):
    x, lengths, y = batch
    return nn.functional.cross_entropy(model(x, lengths), y)


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


KIND = "forward"
EXPECT = {
    "frame.0.weight": "blocked",
    "frame.0.bias": "blocked",
    "clip.weight": "trained",
    "clip.bias": "trained",
}
CAUSE = "zero_gradient"
ONE_BATCH = "unknown"

if __name__ == "__main__":
    train()
