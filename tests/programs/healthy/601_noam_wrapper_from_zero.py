"""An optimizer inside a plain wrapper class that sets the rate by itself; the very first rate is 0, the configuration is a
dataclass, the trainer keeps everything as attributes. Origin: Transformer tutorials. NEEDS_LOOP"""
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Config:
    d_model: int = 8
    warmup: int = 4
    epochs: int = 2
    betas: tuple = (0.9, 0.98)
    extras: dict = field(default_factory=dict)


class Scheduled:
    def __init__(self, optimizer, config):
        self._optimizer, self.config, self.n = optimizer, config, 0

    def step_and_update_lr(self):
        rate = self.config.d_model**-0.5 * min((self.n + 1e-9) ** -0.5, self.n * self.config.warmup**-1.5)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()
        self.n += 1

    def zero_grad(self):
        self._optimizer.zero_grad()


class Trainer:
    def __init__(self, config):
        self.config = config
        self.model = nn.TransformerEncoderLayer(config.d_model, 2, 16, dropout=0.0, batch_first=True)
        self.head = nn.Linear(config.d_model, 5)
        every = [*self.model.parameters(), *self.head.parameters()]
        self.optimizer = Scheduled(torch.optim.Adam(every, lr=0, betas=config.betas, eps=1e-9), config)

    def batches(self):
        data = TensorDataset(torch.randn(24, 6, self.config.d_model), torch.randint(0, 5, (24, 6)))
        yield from DataLoader(data, batch_size=6, shuffle=True, generator=torch.Generator().manual_seed(1))

    def fit(self):
        history = []
        for _ in range(self.config.epochs):
            for x, y in self.batches():
                self.optimizer.zero_grad()
                loss = nn.functional.cross_entropy(self.head(self.model(x)).flatten(0, 1), y.flatten())
                loss.backward()
                self.optimizer.step_and_update_lr()
                history.append(loss.item())
        return history


def make():
    torch.manual_seed(0)
    trainer = Trainer(Config())
    return trainer.model, trainer, None


def train():
    model, trainer, _ = make()
    return model, trainer.fit()


KIND = "healthy"
EXPECT = dict.fromkeys((name for name, _ in make()[0].named_parameters()), "trained")
CAUSE = "healthy"

if __name__ == "__main__":
    train()
