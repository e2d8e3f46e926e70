"""A callback that was written for `on_train_batch_start` is registered under `on_after_backward`: gradients are gone when the
optimizer steps.
Origin: made up after Lightning-style hook systems."""
import torch
from torch import nn


class ClearGradients:
    def on_after_backward(self, trainer):
        trainer.optimizer.zero_grad()  # <-- culprit


class Trainer:
    def __init__(self, model, optimizer, callbacks):
        self.model, self.optimizer, self.callbacks = model, optimizer, callbacks

    def call(self, hook):
        for callback in self.callbacks:
            getattr(callback, hook, lambda trainer: None)(self)

    def fit(self, batches):
        losses = []
        for batch in batches:
            self.call("on_train_batch_start")
            loss = loss_fn(self.model, batch)
            loss.backward()
            self.call("on_after_backward")
            self.optimizer.step()
            self.call("on_train_batch_end")
            losses.append(loss.item())
        return losses


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.EmbeddingBag(15, 6), nn.Linear(6, 3))
    return model, torch.optim.Adagrad(model.parameters(), lr=0.1), (torch.randint(0, 15, (8, 4)), torch.randint(0, 3, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    return model, Trainer(model, optimizer, [ClearGradients()]).fit([batch] * steps)


KIND = "loop"
EXPECT = {n: "blocked" for n in ("0.weight", "1.weight", "1.bias")}
CAUSE = "cleared_early"

if __name__ == "__main__":
    train()
