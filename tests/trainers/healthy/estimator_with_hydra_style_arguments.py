"""A scikit-learn-like estimator with `fit` and `predict`, configured by `key=value` arguments as hydra takes them."""

import dataclasses
import sys

import torch
from torch import nn


@dataclasses.dataclass
class Optim:
    name: str = "SGD"
    lr: float = 0.1


@dataclasses.dataclass
class Config:
    hidden: int = 8
    epochs: int = 4
    output: str = ""
    optim: Optim = dataclasses.field(default_factory=Optim)

    @classmethod
    def from_arguments(cls, arguments):
        config = cls()
        for argument in arguments:
            path, _, value = argument.partition("=")
            owner = config
            *above, last = path.split(".")
            for name in above:
                owner = getattr(owner, name)
            setattr(owner, last, type(getattr(owner, last))(value))
        return config


class Net(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, hidden), nn.ELU(), nn.Linear(hidden, 2))

    def forward(self, x):
        return self.layers(x)


class NeuralNetClassifier:
    def __init__(self, module, criterion, config, **kwargs):
        self.module, self.criterion, self.config, self.kwargs = module, criterion, config, kwargs

    def initialize(self):
        self.module_ = self.module(**self.kwargs)
        self.criterion_ = self.criterion()
        self.optimizer_ = getattr(torch.optim, self.config.optim.name)(
            self.module_.parameters(), lr=self.config.optim.lr
        )
        self.history_ = []
        return self

    def train_step(self, x, y):
        self.module_.train()

        def step_fn():
            self.optimizer_.zero_grad()
            loss = self.criterion_(self.module_(x), y)
            loss.backward()
            return loss

        return self.optimizer_.step(step_fn)

    def fit(self, x, y):
        self.initialize()
        for _ in range(self.config.epochs):
            for part in range(0, len(x), 8):
                self.history_.append(float(self.train_step(x[part : part + 8], y[part : part + 8])))
        return self

    def predict(self, x):
        self.module_.eval()
        with torch.inference_mode():
            return self.module_(x).argmax(1).numpy()


def build():
    torch.manual_seed(0)
    return Net(8)


def main(arguments):
    config = Config.from_arguments(arguments)
    torch.manual_seed(0)
    net = NeuralNetClassifier(Net, nn.CrossEntropyLoss, config, hidden=config.hidden)
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(32, 4, generator=generator)
    y = (x[:, 0] * x[:, 1] > 0).long()
    net.fit(x, y)
    print("accuracy", (net.predict(x) == y.numpy()).mean())
    torch.save({"model": net.module_.state_dict(), "losses": net.history_}, config.output)


ARGUMENTS = ["optim.lr=0.05", "output={output}"]
EXPECT = {"*": "trained"}

if __name__ == "__main__":
    main(sys.argv[1:])
