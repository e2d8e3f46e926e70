"""A curriculum starts at level 0, the easiest samples are of level 1, and the level rises when the accuracy on what was shown is high enough.
Nothing is ever shown.
Origin: made up after competence-based curricula."""
from dataclasses import dataclass, field

import torch
from torch import nn


@dataclass
class Curriculum:
    samples: list
    level: int = 0  # <-- culprit
    seen: list = field(default_factory=list)

    def active(self):
        return [s for s in self.samples if s[2] <= self.level]  # <-- culprit

    def update(self):
        if self.seen and sum(self.seen) / len(self.seen) > 0.8:
            self.level += 1
        self.seen.clear()


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))
    samples = [(torch.randn(3), torch.tensor(i % 2), 1 + i % 3) for i in range(12)]
    return model, torch.optim.SGD(model.parameters(), lr=0.1), samples


def loss_fn(model, samples):
    x, y = torch.stack([s[0] for s in samples]), torch.stack([s[1] for s in samples])
    return nn.functional.cross_entropy(model(x), y)


def train(epochs=4):
    model, optimizer, samples = make()
    curriculum, losses = Curriculum(samples), []
    for _ in range(epochs):
        for x, y, _ in curriculum.active():  # <-- culprit
            optimizer.zero_grad()
            logits = model(x[None])
            loss = nn.functional.cross_entropy(logits, y[None])
            loss.backward()
            optimizer.step()
            curriculum.seen.append(float(logits.argmax() == y))
            losses.append(loss.item())
        curriculum.update()
    with torch.no_grad():
        print("final", loss_fn(model, samples).item())
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "no_backward"

if __name__ == "__main__":
    train()
