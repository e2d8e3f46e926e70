"""The second optimizer steps when the remainder equals the divisor, which it never does."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.body, self.out = nn.Linear(d, d), nn.Linear(d, 3)

    def forward(self, x):
        return self.out(torch.tanh(self.body(x)))


class Learner:
    def __init__(self, every=2):
        torch.manual_seed(0)
        self.model, self.every, self.seen, self.memory = Net(), every, 0, []
        self.often = torch.optim.SGD(self.model.out.parameters(), lr=0.1)
        self.rarely = torch.optim.SGD(self.model.body.parameters(), lr=0.1)

    def learn(self, x, y):
        self.memory.append(x)
        if len(self.memory) < 2:
            return None
        loss = nn.functional.cross_entropy(self.model(x), y)
        self.often.zero_grad()
        loss.backward()
        self.often.step()
        self.seen += 1
        if self.seen % self.every == self.every:  # <-- culprit
            self.rarely.step()
            self.rarely.zero_grad()
        return loss.item()


def make():
    learner = Learner()
    return learner.model, learner.often, (torch.randn(12, 6), torch.randint(0, 3, (12,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


def train(steps=6):
    learner = Learner()
    losses = [learner.learn(torch.randn(12, 6), torch.randint(0, 3, (12,))) for _ in range(steps)]
    return learner.model, [loss for loss in losses if loss is not None]


KIND = "loop"
EXPECT = {
    **{f"{part}.{n}": "trained" for part in ("out",) for n in ("weight", "bias")},
    **{f"{part}.{n}": "blocked" for part in ("body",) for n in ("weight", "bias")},
}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
