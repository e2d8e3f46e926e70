import torch

MAKERS = {"adagrad": torch.optim.Adagrad, "adam": torch.optim.Adam, "sgd": torch.optim.SGD}


class OptimizerGroup:
    """Several optimizers that look like one."""

    def __init__(self, *optimizers):
        self.optimizers = optimizers
        self.steps = 0

    @classmethod
    def from_config(cls, cfg, **params):
        made = []
        for part, spec in cfg.items():
            spec = dict(spec)
            made.append(MAKERS[spec.pop("name")](params[part], **spec))
        return cls(*made)

    def zero_grad(self):
        for opt in self.optimizers:
            opt.zero_grad()

    def step(self):
        for opt in self.optimizers:
            opt.step()
        self.steps += 1
        return self.steps
