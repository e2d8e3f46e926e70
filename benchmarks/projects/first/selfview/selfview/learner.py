import copy

import torch
import torch.nn.functional as F
from torch import nn

from .nets import Branch, mlp


def regression_loss(p, z):
    p = F.normalize(p, dim=-1)
    z = F.normalize(z, dim=-1)
    return (2 - 2 * (p * z).sum(dim=-1)).mean()


class Learner(nn.Module):
    def __init__(self, d_in, cfg):
        super().__init__()
        self.cfg = cfg["learner"]
        out = cfg["projector"]["out"]
        self.online = Branch(d_in, cfg)
        self.target = copy.deepcopy(self.online)
        self.predictor = mlp(out, cfg["projector"]["hidden"], out)

    def one_side(self, view_a, view_b):
        z = self.online(view_a)
        p = self.predictor(z)
        with torch.no_grad():
            t = self.target(view_b)
        return regression_loss(p, t)

    def forward(self, view_a, view_b):
        loss = self.one_side(view_a, view_b)
        if self.cfg["symmetric"]:
            loss = loss + self.one_side(view_b, view_a)
        return loss

    @torch.no_grad()
    def update_target(self):
        tau = self.cfg["ema"]
        for t, o in zip(self.target.parameters(), self.online.parameters()):
            t.mul_(tau).add_(o, alpha=1 - tau)
