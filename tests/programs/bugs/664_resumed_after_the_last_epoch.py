"""A finished checkpoint is resumed with the same number of epochs: the loop from the saved epoch to the last has no round.
Origin: "training does not start after resume"; retold."""
import io

import torch
from torch import nn


class Run:
    def __init__(self, epochs):
        self.epochs, self.start = epochs, 0
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)

    def resume(self, file):
        file.seek(0)
        saved = torch.load(file)
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.start = saved["epoch"]  # <-- culprit

    def fit(self, batch):
        losses = []
        for epoch in range(self.start, self.epochs):  # <-- culprit
            self.optimizer.zero_grad()
            loss = loss_fn(self.model, batch)
            loss.backward()
            self.optimizer.step()
            losses.append(loss.item())
        self.model.eval()
        with torch.no_grad():
            print("test", loss_fn(self.model, batch).item())
        return losses


def make():
    run = Run(5)
    return run.model, run.optimizer, (torch.randn(8, 4), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train():
    run = Run(epochs=5)
    file = io.BytesIO()
    torch.save({"model": run.model.state_dict(), "optimizer": run.optimizer.state_dict(), "epoch": 5}, file)
    run.resume(file)
    return run.model, run.fit((torch.randn(8, 4), torch.randint(0, 2, (8,))))


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "no_backward"

if __name__ == "__main__":
    train()
