"""A scikit-learn-like estimator: `fit` makes the module anew, but the optimizer belongs to the one from `__init__`."""

import sys

import torch
from torch import nn


class Estimator:
    def __init__(self, make, lr=0.1, epochs=3):
        self.make, self.epochs = make, epochs
        self.module_ = make()
        self.optimizer_ = torch.optim.SGD(self.module_.parameters(), lr=lr)  # <-- culprit
        self.history_ = []

    def initialize(self):
        self.module_ = self.make()  # <-- culprit

    def fit(self, x, y):
        self.initialize()
        for _ in range(self.epochs):
            for part in range(0, len(x), 8):
                self.optimizer_.zero_grad()
                loss = nn.functional.cross_entropy(self.module_(x[part : part + 8]), y[part : part + 8])
                loss.backward()
                self.optimizer_.step()
                self.history_.append(loss.item())
        return self


def build():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))


def main():
    net = Estimator(build)
    x = torch.randn(32, 4)
    net.fit(x, (x[:, 0] > 0).long())
    torch.save({"model": net.module_.state_dict(), "losses": net.history_}, sys.argv[-1])


EXPECT = {"*(old)*": "stale", "*": "excluded"}
CODES = {"FXA204", "FXA303", "FXA301"}

if __name__ == "__main__":
    main()
