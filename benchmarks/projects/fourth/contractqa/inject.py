"""Puts adapters into a model, by the names of its layers."""
from torch import nn

from lora import LoRALinear


def _parent(model, name):
    path, _, leaf = name.rpartition(".")
    return model.get_submodule(path), leaf


def is_under(name, prefixes):
    return any(name == p or name.startswith(p + ".") for p in prefixes)


def inject(model, rank, alpha, targets, modules_to_save=()):
    for p in model.parameters():
        p.requires_grad_(False)
    wanted = [
        name for name, m in model.named_modules()
        if isinstance(m, nn.Linear) and any(name.endswith("." + t) for t in targets)
    ]
    for name in wanted:
        parent, leaf = _parent(model, name)
        setattr(parent, leaf, LoRALinear(getattr(parent, leaf), rank, alpha))
    for name, p in model.named_parameters():
        if is_under(name, modules_to_save):
            p.requires_grad_(True)
    return wanted
