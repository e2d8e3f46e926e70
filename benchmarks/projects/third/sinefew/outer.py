"""Outer optimizer."""
import torch


def count(params):
    return sum(p.numel() for p in params)


def meta_optimizer(meta, lr, rate_lr):
    weights = list(meta.net.parameters())
    rates = list(meta.rates.parameters())
    print(f"outer: {count(weights)} weights, {count(rates)} inner rates")
    return torch.optim.Adam([
        {"params": weights, "lr": lr},
        {"params": rates, "lr": rate_lr},
    ])
