"""Raw integer ids to embedding rows. Row 0 is the padding row for missing values."""
import torch

MISSING = -1


def mix(x):
    x = (x ^ (x >> 3)) * 40503
    return (x ^ (x >> 7)).abs()


def bucketize(ids, buckets):
    rows = 1 + mix(ids) % (buckets - 1)
    return torch.where(ids == MISSING, torch.zeros_like(rows), rows)
