"""While debugging, `return loss` was moved up in the training step; what follows is dead code.
Origin: made up after unreachable code left by a refactoring."""
import torch
from torch import nn


class Trainer:
    def __init__(self, model, optimizer):
        self.model, self.optimizer = model, optimizer

    def training_step(self, batch):
        self.optimizer.zero_grad()
        loss = loss_fn(self.model, batch)
        loss.backward()
        return loss.detach()  # <-- culprit
        nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        self.optimizer.step()

    def fit(self, batch, steps):
        return [float(self.training_step(batch)) for _ in range(steps)]


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(20, 6), nn.Flatten(), nn.Linear(24, 20))
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    return model, optimizer, (torch.randint(0, 20, (7, 4)), torch.randint(0, 20, (7,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


def train(steps=3):
    model, optimizer, batch = make()
    return model, Trainer(model, optimizer).fit(batch, steps)


KIND = "loop"
EXPECT = {"0.weight": "blocked", "2.weight": "blocked", "2.bias": "blocked"}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
