from sparkle import Callback


class Unfreeze(Callback):
    """Keep a part frozen at first, thaw it at the start of a given epoch."""

    def __init__(self, part, epoch):
        self.part = part
        self.epoch = epoch

    def _set(self, unit, flag):
        for p in getattr(unit, self.part).parameters():
            p.requires_grad = flag

    def on_fit_start(self, runner, unit):
        self._set(unit, False)

    def on_epoch_start(self, runner, unit):
        if runner.epoch == self.epoch:
            self._set(unit, True)


class Printer(Callback):
    def on_epoch_end(self, runner, unit):
        items = " ".join(f"{k}={v:.3f}" for k, v in sorted(unit.logged.items()))
        print(f"epoch {runner.epoch} step {runner.global_step} {items}")


class GradNorms(Callback):
    def on_after_backward(self, runner, unit):
        total = sum(p.grad.norm() ** 2 for p in unit.parameters() if p.grad is not None)
        unit.log("grad_norm", total ** 0.5)
