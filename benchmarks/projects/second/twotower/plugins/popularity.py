import torch
from torch import nn

from towers import bucketize


class PopularityPrior(nn.Module):
    """Learned bias per item bucket, added to the scores."""

    def __init__(self, conf):
        super().__init__()
        self.buckets = conf["features"]["item_id"]["buckets"]
        self.strength = conf["popularity"]["strength"]
        self.bias = nn.Parameter(torch.zeros(self.buckets))

    def forward(self, scores, batch):
        rows = bucketize(batch["item_id"], self.buckets)
        return scores + self.strength * self.bias[rows]
