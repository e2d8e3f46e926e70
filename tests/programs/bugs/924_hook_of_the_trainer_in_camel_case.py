"""The subclass brings a loss with gradient, but its method is called `computeLoss`, and the trainer's own one runs."""

import torch
from torch import nn


class Trainer:
    def __init__(self, model, optimizer):
        self.model, self.optimizer = model, optimizer
        self.losses = []

    def compute_loss(self, x, y):
        """Only the head is fitted; the features stay as they are."""
        features = self.model.features(x).detach()
        return nn.functional.mse_loss(self.model.head(features), y)

    def fit(self, batch, steps):
        for _ in range(steps):
            self.optimizer.zero_grad()
            loss = self.compute_loss(*batch)
            loss.backward()
            self.optimizer.step()
            self.losses.append(loss.item())


class FullTrainer(Trainer):
    def computeLoss(self, x, y):  # <-- culprit
        return nn.functional.mse_loss(self.model.head(self.model.features(x)), y)


class Regressor(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Linear(5, 5)
        self.head = nn.Linear(5, 1)

    def forward(self, x):
        return self.head(self.features(x))


def make():
    torch.manual_seed(0)
    model = Regressor()
    return model, torch.optim.SGD(model.parameters(), lr=0.05), (torch.randn(12, 5), torch.randn(12, 1))


def loss_fn(model, batch):
    return Trainer(model, None).compute_loss(*batch)


def train(steps=5):
    model, optimizer, batch = make()
    trainer = FullTrainer(model, optimizer)
    trainer.fit(batch, steps)
    return model, trainer.losses


KIND = "loop"
EXPECT = {
    **{f"features.{n}": "unreachable" for n in ("weight", "bias")},
    **{f"head.{n}": "trained" for n in ("weight", "bias")},
}
CAUSE = "detached"

if __name__ == "__main__":
    train()
