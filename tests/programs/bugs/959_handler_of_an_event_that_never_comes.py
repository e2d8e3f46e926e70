"""The step is registered for an event that nobody fires: `batch_done` is told, `batch_end` was meant."""

import torch
from torch import nn


class Engine:
    def __init__(self):
        self.handlers = {}

    def when(self, event):
        def keep(function):
            self.handlers.setdefault(event, []).append(function)
            return function

        return keep

    def tell(self, event):
        for handler in self.handlers.get(event, ()):
            handler()


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 3))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 6), torch.randint(0, 3, (12,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


def wired(engine, model, optimizer, batch, losses):
    @engine.when("batch_begin")
    def clear():
        optimizer.zero_grad()

    @engine.when("batch")
    def learn():
        loss = loss_fn(model, batch)
        loss.backward()
        losses.append(loss.item())

    @engine.when("batch_ended")  # <-- culprit
    def move():
        optimizer.step()


def train(steps=5):
    model, optimizer, batch = make()
    engine, losses = Engine(), []
    wired(engine, model, optimizer, batch, losses)
    for _ in range(steps):
        for event in ("batch_begin", "batch", "batch_end"):
            engine.tell(event)
    return model, losses


KIND = "loop"
EXPECT = {
    **{f"{part}.{n}": "blocked" for part in ("0", "2") for n in ("weight", "bias")},
}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
