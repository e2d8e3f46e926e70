import torch
from torch.nn.utils import clip_grad_norm_

from warp import charbonnier, warp


class Engine:
    """Self-supervised: the second frame, warped back, has to match the first."""

    def __init__(self, net, cfg):
        self.net = net
        self.max_norm = cfg.getfloat("train", "max_norm")
        self.gamma = cfg.getfloat("train", "gamma")
        lr = cfg.getfloat("optim", "lr")
        feature_lr = cfg.getfloat("optim", "feature_lr", fallback=0.0)
        rest = [p for n, p in net.named_parameters() if not n.startswith("fnet.")]
        self.optimizer = torch.optim.Adam([
            {"params": rest, "lr": lr},
            {"params": list(net.fnet.parameters()), "lr": feature_lr},
        ])
        self.skipped = 0

    def photometric(self, first, second):
        flows, gain = self.net(first, second)
        loss = 0.0
        for i, flow in enumerate(flows):
            weight = self.gamma ** (len(flows) - 1 - i)
            loss = loss + weight * charbonnier(gain * warp(second, flow) - first)
        return loss

    def step(self, first, second):
        loss = self.photometric(first, second)
        self.optimizer.zero_grad()
        loss.backward()
        norm = clip_grad_norm_(self.net.parameters(), self.max_norm)
        if not torch.isfinite(norm):
            self.skipped += 1
            return loss.item()
        self.optimizer.step()
        return loss.item()
