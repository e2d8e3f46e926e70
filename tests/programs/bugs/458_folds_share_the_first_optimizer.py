"""Cross-validation builds a new model for each fold; the optimizer is still the one of a model built before the loop.
Origin: made up after k-fold questions."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(4, 5)
        self.out = nn.Linear(5, 1)

    def forward(self, x):
        return self.out(torch.relu(self.hidden(x)))


def make(optimizer=None):
    torch.manual_seed(0)
    model = Net()
    optimizer = optimizer or torch.optim.Adam(Net().parameters(), lr=1e-2)  # <-- culprit
    return model, optimizer, (torch.randn(12, 4), torch.randn(12, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=3, folds=3):
    template = Net()
    optimizer = torch.optim.Adam(template.parameters(), lr=1e-2)  # <-- culprit
    losses = []
    for fold in range(folds):
        model, _, (x, y) = make(optimizer)  # <-- culprit
        keep = torch.arange(12) % folds != fold
        for _ in range(steps):
            model.zero_grad()
            loss = loss_fn(model, (x[keep], y[keep]))
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "excluded" for n in ("hidden.weight", "hidden.bias", "out.weight", "out.bias")}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
