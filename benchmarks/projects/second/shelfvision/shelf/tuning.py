"""Which parameters are tuned, and with which optimizer."""
from __future__ import annotations

import torch
from torch import nn


def select_trainable(model: nn.Module, prefixes: list[str]) -> int:
    count = 0
    for name, p in model.named_parameters():
        p.requires_grad = any(name.startswith(pre) for pre in prefixes)
        count += p.requires_grad
    return count


def optimizer_for(model: nn.Module, lr: float, head_mult: float) -> torch.optim.Optimizer:
    head, body = [], []
    for name, p in model.named_parameters():
        if p.requires_grad:
            (head if name.startswith(model.head_name) else body).append(p)
    return torch.optim.AdamW([
        {"params": body, "lr": lr},
        {"params": head, "lr": lr * head_mult},
    ], weight_decay=0.0)
