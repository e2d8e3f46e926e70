"""Momentum SGD and warm-up by hand."""
import torch


class Solver:
    def __init__(self, groups, momentum):
        self.groups = [dict(g, params=list(g["params"])) for g in groups]
        self.momentum = momentum
        self.speed = {}

    def zero(self):
        for group in self.groups:
            for p in group["params"]:
                p.grad = None

    @torch.no_grad()
    def step(self):
        for group in self.groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                v = self.speed.setdefault(p, torch.zeros_like(p))
                v.mul_(self.momentum).add_(p.grad)
                p.sub_(v, alpha=group["lr"])


class WarmUp:
    """Raises the rate of the groups that have a peak."""

    def __init__(self, solver, steps):
        self.solver = solver
        self.steps = steps
        self.done = 0

    def step(self):
        self.done += 1
        part = min(1.0, self.done / self.steps)
        for group in self.solver.groups:
            if "peak" in group:
                group["lr"] = part * group["peak"]
