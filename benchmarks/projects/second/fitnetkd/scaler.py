"""Loss scaling as in mixed precision, without any device."""
import torch


class LossScaler:
    def __init__(self, init_scale=2.0 ** 10, growth=2.0, backoff=0.5, interval=200):
        self.scale_value = float(init_scale)
        self.growth, self.backoff, self.interval = growth, backoff, interval
        self.good = 0
        self.skipped = 0

    def scale(self, loss):
        return loss * self.scale_value

    @torch.no_grad()
    def unscale_(self, optimizer):
        self.found_inf = False
        for group in optimizer.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.grad.div_(self.scale_value)
                    self.found_inf |= not bool(torch.isfinite(p.grad).all())

    def step(self, optimizer):
        if self.found_inf:
            self.scale_value *= self.backoff
            self.skipped += 1
            self.good = 0
            return
        optimizer.step()
        self.good += 1
        if self.good % self.interval == 0:
            self.scale_value *= self.growth
