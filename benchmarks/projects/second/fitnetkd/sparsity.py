"""Magnitude pruning of the student: masked weights get no gradient."""
import torch


def mask_hook(mask):
    return lambda grad: grad * mask


def prune(model, threshold, skip=("stem", "fc")):
    kept = total = 0
    for name, p in model.named_parameters():
        if p.dim() < 2 or name.split(".")[0] in skip:
            continue
        mask = (p.detach().abs() > threshold).float()
        p.data.mul_(mask)
        p.register_hook(mask_hook(mask))
        kept += int(mask.sum())
        total += mask.numel()
    return kept / max(1, total)
