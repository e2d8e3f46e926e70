"""Two heads; the targets of the second are -100 where nobody labelled. Nobody labelled anything in the first batch.
Origin: partly labelled data with `ignore_index`; retold."""

import torch
from torch import nn
import torch.nn.functional as F


class Two(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.body, self.topic, self.tone = nn.Linear(4, d), nn.Linear(d, 3), nn.Linear(d, 2)

    def forward(self, x):
        h = torch.tanh(self.body(x))
        return self.topic(h), self.tone(h)


def make():
    torch.manual_seed(0)
    model = Two()
    batch = (torch.randn(9, 4), torch.arange(9) % 3, torch.full((9,), -100))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), batch


def loss_fn(model, batch):
    x, topic, tone = batch
    first, second = model(x)
    return F.cross_entropy(first, topic) + F.cross_entropy(second, tone, ignore_index=-100, reduction="sum")


def train(steps=5):
    model, optimizer, (x, topic, tone) = make()
    losses = []
    for step in range(steps):
        seen = tone if step == 0 else torch.where(torch.arange(9) < 4, torch.arange(9) % 2, tone)
        optimizer.zero_grad()
        loss = loss_fn(model, (x, topic, seen))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {f"{part}.{n}": "trained" for part in ("body", "topic", "tone") for n in ("weight", "bias")}

if __name__ == "__main__":
    train()
