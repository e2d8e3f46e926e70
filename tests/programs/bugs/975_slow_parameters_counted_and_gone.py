"""The slow parameters stand in round brackets, and are counted for a message before the optimizer gets them."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.body, self.out = nn.Linear(d, d), nn.Linear(d, 3)

    def forward(self, x):
        return self.out(torch.tanh(self.body(x)))


def make():
    torch.manual_seed(0)
    model = Net()
    slow = (p for n, p in model.named_parameters() if not n.startswith("out"))  # <-- culprit
    print(sum(p.numel() for p in slow), "slow numbers")
    groups = [{"params": model.out.parameters()}, {"params": slow, "lr": 1e-3}]
    return model, torch.optim.Adam(groups, lr=1e-2), (torch.randn(12, 6), torch.randint(0, 3, (12,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


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
    **{f"{part}.{n}": "trained" for part in ("out",) for n in ("weight", "bias")},
    **{f"{part}.{n}": "excluded" for part in ("body",) for n in ("weight", "bias")},
}
CAUSE = "other"

if __name__ == "__main__":
    train()
