import torch.nn as nn

from adapters import ADAPTERS


def _parent(model, dotted):
    *path, leaf = dotted.split(".")
    for part in path:
        model = getattr(model, part)
    return model, leaf


def inject(model, kind, targets, r, alpha):
    hits = [n for n, m in model.named_modules()
            if isinstance(m, nn.Linear) and n.split(".")[-1] in targets]
    for name in hits:
        parent, leaf = _parent(model, name)
        setattr(parent, leaf, ADAPTERS[kind](getattr(parent, leaf), r, alpha))
    return hits


def mark_trainable(model, modules_to_save=("classifier",)):
    for name, p in model.named_parameters():
        head = name.split(".")[0] in modules_to_save
        p.requires_grad_("lora_" in name or head)


def summary(model):
    n = sum(p.numel() for p in model.parameters())
    t = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return f"trainable {t} / {n} ({100 * t / n:.1f}%)"
