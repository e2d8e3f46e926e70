"""Discriminative learning rates and the slanted triangle."""


def spread(top_lr, n_groups, factor=2.6):
    """One rate per group, lowest group first."""
    return [top_lr / factor ** (n_groups - 1 - i) for i in range(n_groups)]


def slanted(step, total, cut_frac=0.25, ratio=20):
    cut = max(1, int(total * cut_frac))
    if step < cut:
        p = (step + 1) / cut
    else:
        p = 1 - (step - cut) / max(1, total - cut)
    return (1 + p * (ratio - 1)) / ratio


def apply(optimizer, base_rates, factor):
    for group, lr in zip(optimizer.param_groups, base_rates):
        group["lr"] = lr * factor
