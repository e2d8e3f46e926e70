"""A home-made Lightning-like core: Unit, Callback, Runner."""
import torch
from torch import nn


class Unit(nn.Module):
    """Base class of everything trainable. Override the hooks."""

    def __init__(self, hparams):
        super().__init__()
        self.hparams = dict(hparams)
        self.logged = {}

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.hparams.get("base_lr", 0.0))

    def training_step(self, batch, i):
        raise NotImplementedError

    def log(self, name, value):
        self.logged[name] = float(value)


class Callback:
    def on_fit_start(self, runner, unit): ...
    def on_epoch_start(self, runner, unit): ...
    def on_epoch_end(self, runner, unit): ...
    def on_after_backward(self, runner, unit): ...


class Runner:
    def __init__(self, max_epochs, callbacks=(), grad_clip=None):
        self.max_epochs = max_epochs
        self.callbacks = list(callbacks)
        self.grad_clip = grad_clip
        self.epoch = 0
        self.global_step = 0

    def call(self, hook, unit):
        for cb in self.callbacks:
            getattr(cb, hook)(self, unit)

    def fit(self, unit, loader):
        self.optimizer = unit.configure_optimizers()
        self.call("on_fit_start", unit)
        for self.epoch in range(self.max_epochs):
            unit.train()
            self.call("on_epoch_start", unit)
            for i, batch in enumerate(loader):
                out = unit.training_step(batch, i)
                loss = out["loss"] if isinstance(out, dict) else out
                self.optimizer.zero_grad()
                loss.backward()
                self.call("on_after_backward", unit)
                if self.grad_clip:
                    nn.utils.clip_grad_norm_(unit.parameters(), self.grad_clip)
                self.optimizer.step()
                self.global_step += 1
            self.call("on_epoch_end", unit)
