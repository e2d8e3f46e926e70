import torch

MISSING = -1


def make_tables(rows, features, noise, missing, tasks, seed):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, features, generator=g)
    targets = {}
    for t in tasks:
        w = torch.randn(features, t.classes, generator=g)
        y = x @ w + noise * torch.randn(rows, t.classes, generator=g)
        if t.kind == "class":
            y = y.argmax(1)
            y[torch.rand(rows, generator=g) < missing] = MISSING
        else:
            y = y.squeeze(1)
        targets[t.name] = y
    return x, targets


def batches(x, targets, size):
    order = torch.randperm(len(x))
    for idx in order.split(size):
        yield x[idx], {k: v[idx] for k, v in targets.items()}
