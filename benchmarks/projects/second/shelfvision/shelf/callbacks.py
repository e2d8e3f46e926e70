from __future__ import annotations

from .checkpoints import Snapshot


class Callback:
    def begin(self, session): ...
    def after_step(self, session, loss): ...
    def finish(self, session): ...


class DivergenceGuard(Callback):
    """Go back to the last good weights when the loss blows up."""

    def __init__(self, tolerance: float = 3.0) -> None:
        self.tolerance = tolerance
        self.rollbacks = 0

    def begin(self, session):
        self.good = Snapshot(session.model)
        self.best = float("inf")

    def after_step(self, session, loss):
        if loss > self.tolerance * self.best:
            self.good.restore(session.model)
            self.rollbacks += 1
        elif loss < self.best:
            self.best = loss
            self.good = Snapshot(session.model)


class History(Callback):
    def begin(self, session):
        self.losses = []

    def after_step(self, session, loss):
        self.losses.append(loss)

    def finish(self, session):
        print("loss", " ".join(f"{v:.3f}" for v in self.losses))
