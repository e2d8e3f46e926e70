"""One task a step, in turn; the remainder is that of one task fewer."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.body = nn.Linear(d, d)
        self.heads = nn.ModuleDict({name: nn.Linear(d, 3) for name in ("rain", "wind", "snow")})


STEPS = iter(range(1000))


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 6), torch.randint(0, 3, (12,)))


def loss_fn(model, batch):
    x, y = batch
    tasks = list(model.heads)
    task = tasks[next(STEPS) % (len(tasks) - 1)]  # <-- culprit
    return nn.functional.cross_entropy(model.heads[task](torch.tanh(model.body(x))), y)


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


KIND = "loop"
EXPECT = {
    **{f"{part}.{n}": "trained" for part in ("body", "heads.rain", "heads.wind") for n in ("weight", "bias")},
    **{f"{part}.{n}": "unreachable" for part in ("heads.snow",) for n in ("weight", "bias")},
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
