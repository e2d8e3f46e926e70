# helpers exported from the notebook
import random

import numpy as np
import torch


def set_seed(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def split_masks(n, frac_train=0.5, frac_val=0.2, seed=0):
    """boolean masks train/val/test"""
    perm = np.random.RandomState(seed).permutation(n)
    n_train = int(n * frac_train)
    n_val = int(n * frac_val)
    masks = {k: torch.zeros(n, dtype=torch.bool) for k in ("train", "val", "test")}
    masks["train"][perm[:n_train]] = True
    masks["val"][perm[n_train:n_train + n_val]] = True
    masks["test"][perm[n_train + n_val:]] = True
    return masks


def masked_mean(values, mask):
    m = mask.float()
    return (values * m).sum() / m.sum().clamp(min=1.0)
