"""Optimizer with a learning rate that grows towards the output."""
import torch

ORDER = ("student.stem", "student.body", "student.head", "projector")


def rates(base, factor, n):
    return [base * factor ** (n - 1 - i) for i in range(n)]


def groups(module, base, factor):
    found = []
    for prefix, lr in zip(ORDER, rates(base, factor, len(ORDER))):
        params = [p for n, p in module.named_parameters() if n.startswith(prefix + ".")]
        found.append({"params": params, "lr": lr})
    return found


def build(module, base=4e-3, factor=0.8):
    return torch.optim.AdamW(groups(module, base, factor), weight_decay=0.0)
