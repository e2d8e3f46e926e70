"""Rays of cameras on a circle that look at a coloured ball."""
import math

import torch


def split_views(n):
    """First the views to train on, then the one kept for evaluation."""
    ids = torch.arange(n)
    return ids[:-1], ids[-1:]


class RaySource:
    def __init__(self, n_views, seed=8):
        self.g = torch.Generator().manual_seed(seed)
        angle = 2 * math.pi * torch.arange(n_views) / n_views
        self.origins = 1.8 * torch.stack([angle.cos(), angle.sin(), torch.zeros(n_views)], -1)
        self.train_ids, self.eval_ids = split_views(n_views)

    def sample(self, n, ids):
        views = ids[torch.randint(0, len(ids), (n,), generator=self.g)]
        o = self.origins[views]
        aim = 0.5 * torch.randn(n, 3, generator=self.g)
        d = torch.nn.functional.normalize(aim - o, dim=-1)
        hit = (torch.linalg.cross(o, d).norm(dim=-1) < 0.6).float()[:, None]
        return (views, o, d), hit * torch.tensor([0.9, 0.4, 0.1]) + (1 - hit) * 0.2
