"""Gradient guards and the keeper of the best weights."""
import math
import os
import tempfile

import torch


def drop_bad(grad):
    """Entries that are not finite count as zero."""
    return torch.where(torch.isfinite(grad), grad, torch.zeros_like(grad))


def guard(module):
    for p in module.parameters():
        p.register_hook(drop_bad)


class Keeper:
    """Saves the net when the validation gets better, else goes back to the saved one."""

    def __init__(self, net):
        self.net = net
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "best.pt")
        self.best = math.inf
        self.save()

    def save(self):
        torch.save(self.net.state_dict(), self.path)

    def epoch_end(self, value):
        better = value < self.best
        if better:
            self.best = value
            self.save()
        else:
            self.net.load_state_dict(torch.load(self.path))
        return better
