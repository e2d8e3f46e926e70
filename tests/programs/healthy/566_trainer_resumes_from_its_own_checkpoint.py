"""Healthy: a trainer with callbacks that skips bad batches, saves everything each epoch, is killed once, and resumes where it was."""
import io

import torch
from torch import nn


class Interrupted(Exception):
    pass


class Callback:
    def on_epoch_end(self, trainer):
        pass


class Checkpoint(Callback):
    def __init__(self):
        self.file = None

    def on_epoch_end(self, trainer):
        self.file = io.BytesIO()
        torch.save(trainer.state(), self.file)


class Interrupt(Callback):
    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_end(self, trainer):
        if trainer.epoch == self.epoch:
            self.epoch = -1
            raise Interrupted


class Trainer:
    def __init__(self, model, optimizer, callbacks):
        self.model, self.optimizer, self.callbacks, self.epoch = model, optimizer, callbacks, 0
        self.scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
        self.losses, self.skipped = [], 0

    def state(self):
        parts = {"model": self.model, "optimizer": self.optimizer, "scheduler": self.scheduler}
        return {"epoch": self.epoch, **{name: part.state_dict() for name, part in parts.items()}}

    def load(self, file):
        file.seek(0)
        state = torch.load(file)
        self.epoch = state["epoch"] + 1
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])

    def fit(self, batches, epochs):
        for self.epoch in range(self.epoch, epochs):
            for batch in batches:
                loss = loss_fn(self.model, batch)
                if not torch.isfinite(loss):
                    self.skipped += 1
                    continue
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                self.losses.append(loss.item())
            self.scheduler.step()
            for callback in self.callbacks:
                callback.on_epoch_end(self)


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 1))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(12, 4), torch.randn(12, 1))


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train():
    model, optimizer, (x, y) = make()
    broken = y.clone()
    broken[0] = float("nan")
    batches = [(x, broken), (x, y), (x, y)]
    checkpoint = Checkpoint()
    trainer = Trainer(model, optimizer, [checkpoint, Interrupt(1)])
    try:
        trainer.fit(batches, 4)
    except Interrupted:
        trainer.load(checkpoint.file)
        trainer.fit(batches, 4)
    return model, trainer.losses


KIND = "healthy"  # NEEDS_LOOP
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "1.weight", "1.bias", "3.weight", "3.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
