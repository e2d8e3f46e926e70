from torch import nn


def freeze(module: nn.Module):
    for p in module.parameters():
        p.requires_grad_(False)


def unfreeze(module: nn.Module):
    for p in module.parameters():
        p.requires_grad_(True)


def freeze_to(groups, k):
    """Everything below the k-th group frozen, the rest trainable (k may be negative)."""
    k = k % len(groups) if k != 0 else 0
    for g in groups[:k]:
        freeze(g)
    for g in groups[k:]:
        unfreeze(g)


def n_frozen(groups):
    return sum(all(not p.requires_grad for p in g.parameters()) for g in groups)
