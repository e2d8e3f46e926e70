"""Gradients are accumulated over eight batches, but the count begins anew in each epoch of five.
Origin: made up after trainers that keep the count in the method of one epoch."""
import torch
from torch import nn


class Trainer:
    def __init__(self, model, accumulate=8):
        self.model = model
        self.accumulate = accumulate
        self.optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        self.losses = []

    def epoch(self, batches):
        seen = 0  # <-- culprit
        for x, y in batches:
            loss = nn.functional.mse_loss(self.model(x), y)
            (loss / self.accumulate).backward()
            self.losses.append(loss.item())
            seen += 1
            if seen % self.accumulate == 0:
                self.optimizer.step()
                self.optimizer.zero_grad()


def train(epochs=6):
    torch.manual_seed(0)
    model = nn.Linear(4, 1)
    trainer = Trainer(model)
    batches = [(torch.randn(2, 4), torch.randn(2, 1)) for _ in range(5)]
    for _ in range(epochs):
        trainer.epoch(batches)
    return model, trainer.losses


KIND = "loop"
EXPECT = {"weight": "blocked", "bias": "blocked"}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
