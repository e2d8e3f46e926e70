import contextlib
import copy

import torch
from torch import nn


def warm_start(net, source):
    """Bring the weights of `source` into `net` and hand `net` back."""
    net.load_state_dict(source.state_dict())
    return net


class DiffusionSystem(nn.Module):
    def __init__(self, net, ctx, decay):
        super().__init__()
        self.net = net
        self.ctx = ctx
        self.decay = decay
        self.shadow = copy.deepcopy(net)
        self.shadow.requires_grad_(False)

    @torch.no_grad()
    def follow(self):
        for s, p in zip(self.shadow.parameters(), self.net.parameters()):
            s.lerp_(p, 1.0 - self.decay)

    @contextlib.contextmanager
    def averaged(self):
        """Evaluate with the averaged weights."""
        was = self.shadow.training
        self.shadow.eval()
        try:
            with torch.no_grad():
                yield self.shadow
        finally:
            self.shadow.train(was)
