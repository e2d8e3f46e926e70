"""The inner loop learns its rates; the outer loss runs with the weights from before it."""

import torch
from torch import nn


class Meta(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.net = nn.Linear(d, 3)
        self.rates = nn.Linear(1, 2)

    def start(self):
        return dict(self.net.named_parameters())


def moved(meta, x, y):
    fast = meta.start()
    for _ in range(2):
        loss = nn.functional.cross_entropy(torch.func.functional_call(meta.net, fast, (x,)), y)
        slopes = torch.autograd.grad(loss, list(fast.values()), create_graph=True)
        rates = meta.rates(torch.ones(1))
        step = {}
        for rate, (name, value), slope in zip(rates, fast.items(), slopes):
            step[name] = value - 0.1 * rate * slope
        fast = step
    return fast


def make():
    torch.manual_seed(0)
    model = Meta()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 6), torch.randint(0, 3, (12,)))


def loss_fn(model, batch):
    x, y = batch
    adapted = moved(model, x[:6], y[:6])
    out = torch.func.functional_call(model.net, model.start(), (x[6:],))  # <-- culprit
    return nn.functional.cross_entropy(out, y[6:])


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


KIND = "forward"
EXPECT = {
    **{f"{part}.{n}": "trained" for part in ("net",) for n in ("weight", "bias")},
    **{f"{part}.{n}": "unreachable" for part in ("rates",) for n in ("weight", "bias")},
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
