import torch
from torch import nn
import torch.nn.functional as F

from common import DIM, N_ID


def hard_triplets(dist, ids):
    """hardest positive and hardest negative for each anchor"""
    same = ids[:, None] == ids[None, :]
    pos = dist.masked_fill(~same, -1.0).max(1).values
    neg = dist.masked_fill(same, 1e3).min(1).values
    return pos, neg


class TripletTerm(nn.Module):
    def __init__(self, margin=0.3):
        super().__init__()
        self.margin = margin

    def forward(self, e, ids):
        dist = (e[:, None] - e[None]).pow(2).sum(-1)
        pos, neg = hard_triplets(dist, ids)
        return F.softplus((pos - neg + self.margin) * 4).mean()


class ProxyTerm(nn.Module):
    """learned proxy per identity"""

    def __init__(self, scale=6.0):
        super().__init__()
        self.scale = scale
        self.proxies = nn.Parameter(torch.randn(N_ID, DIM))

    def forward(self, e, ids):
        logits = self.scale * e @ F.normalize(self.proxies, dim=-1).t()
        return F.cross_entropy(logits, ids)


class Total(nn.Module):
    def __init__(self):
        super().__init__()
        self.triplet = TripletTerm()
        self.proxy = ProxyTerm()
        self.w = {"id": 0.5, "triplet": 1.0, "proxy": 0.5}

    def forward(self, e, logits, ids):
        terms = {
            "id": F.cross_entropy(logits, ids),
            "triplet": self.triplet(e, ids),
            "proxy": self.proxy(e, ids),
        }
        return sum(self.w[k] * v for k, v in terms.items())
