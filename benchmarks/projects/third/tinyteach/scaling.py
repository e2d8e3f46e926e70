"""Loss scaling as for half precision: scale up, check, scale down, step."""
import functools

import torch


def counted(fn):
    @functools.wraps(fn)
    def inner(self, *args, **kwargs):
        took = fn(self, *args, **kwargs)
        self.taken += int(took)
        self.skipped += int(not took)
        return took
    return inner


class LossScaler:
    def __init__(self, scale=128.0):
        self.scale = scale
        self.taken = self.skipped = 0

    def backward(self, loss):
        (loss * self.scale).backward()

    def _grads(self, optimizer):
        return [p.grad for g in optimizer.param_groups for p in g["params"] if p.grad is not None]

    @counted
    def step(self, optimizer):
        grads = self._grads(optimizer)
        overflow = not all(torch.isfinite(g).all() for g in grads)
        if overflow:
            self.scale /= 2
            return False
        for g in grads:
            g.div_(self.scale)
        optimizer.step()
        return True
