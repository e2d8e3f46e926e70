import torch

from common import DIM_IN, N_ID

g = torch.Generator().manual_seed(10)
_proto = torch.randn(N_ID, DIM_IN, generator=g)


def pk_batch(p=4, k=4):
    """p identities, k echoes of each"""
    ids = torch.randperm(N_ID, generator=g)[:p].repeat_interleave(k)
    x = _proto[ids] + 0.8 * torch.randn(len(ids), DIM_IN, generator=g)
    return x, ids
