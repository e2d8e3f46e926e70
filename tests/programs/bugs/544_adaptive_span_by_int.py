"""A learnt attention span is turned into an int to cut the window. The span never changes.
Origin: adaptive-span reimplementation, "int() of a parameter"; retold."""
import torch
from torch import nn


class Window(nn.Module):
    def __init__(self, d=4, span=3.4):
        super().__init__()
        self.span = nn.Parameter(torch.tensor(span))
        self.q, self.k = nn.Linear(d, d), nn.Linear(d, d, bias=False)

    def forward(self, x):
        reach = int(self.span)  # <-- culprit
        keys = x[:, -reach:]
        scores = self.q(x[:, -1:]) @ self.k(keys).transpose(1, 2)
        return (scores.softmax(-1) @ keys).squeeze(1)


class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        self.window, self.out = Window(), nn.Linear(4, 1)

    def forward(self, x):
        return self.out(self.window(x)).squeeze(-1)


def make():
    torch.manual_seed(0)
    model = Forecaster()
    return model, torch.optim.RMSprop(model.parameters(), lr=1e-2), (torch.randn(8, 6, 4), torch.randn(8))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.l1_loss(model(x), y)


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
    "window.span": "unreachable",
    "window.q.weight": "trained",
    "window.k.weight": "trained",
    "window.q.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "to_python"

if __name__ == "__main__":
    train()
