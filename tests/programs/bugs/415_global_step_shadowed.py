"""Linear warm-up by `self.global_step`; the loop counts in a local variable of the same name, so that the rate stays 0.
Origin: made up after hand-written warm-up loops."""
import torch
from torch import nn


class Pretrainer:
    def __init__(self, warmup=10, peak=1e-2):
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Embedding(20, 8), nn.Linear(8, 20))
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=peak)
        self.warmup, self.peak = warmup, peak
        self.global_step = 0  # <-- culprit

    def set_rate(self):
        rate = self.peak * min(1.0, self.global_step / self.warmup)  # <-- culprit
        for group in self.optimizer.param_groups:
            group["lr"] = rate  # <-- culprit

    def fit(self, batches):
        losses = []
        global_step = self.global_step
        for batch in batches:
            self.set_rate()
            self.optimizer.zero_grad()
            loss = loss_fn(self.model, batch)
            loss.backward()
            self.optimizer.step()
            global_step += 1  # <-- culprit
            losses.append(loss.item())
        return losses


def build():
    return Pretrainer(), torch.randint(0, 20, (4, 7))


def make():
    trainer, batch = build()
    return trainer.model, trainer.optimizer, batch


def loss_fn(model, tokens):
    return nn.functional.cross_entropy(model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())


def train(steps=3):
    trainer, batch = build()
    return trainer.model, trainer.fit([batch] * steps)


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "1.weight", "1.bias")}
CAUSE = "lr_zero"

if __name__ == "__main__":
    train()
