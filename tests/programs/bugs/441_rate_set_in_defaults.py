"""The optimizer is built with lr=0.0 to be set later; later sets `optimizer.defaults["lr"]`, which no group looks at again.
Origin: made up after "change learning rate" answers."""
import torch
from torch import nn


class Experiment:
    def __init__(self, lr):
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.0, momentum=0.9)  # <-- culprit
        self.lr = lr

    def on_train_start(self):
        self.optimizer.defaults["lr"] = self.lr  # <-- culprit


def build():
    return Experiment(0.05), (torch.randn(8, 4), torch.randn(8, 1))


def make():
    experiment, batch = build()
    experiment.on_train_start()
    return experiment.model, experiment.optimizer, batch


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=3):
    experiment, batch = build()
    experiment.on_train_start()
    losses = []
    for _ in range(steps):
        experiment.optimizer.zero_grad()
        loss = loss_fn(experiment.model, batch)
        loss.backward()
        experiment.optimizer.step()
        losses.append(loss.item())
    return experiment.model, losses


KIND = "optimizer"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "lr_zero"

if __name__ == "__main__":
    train()
