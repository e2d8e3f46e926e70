import re

import torch

OPTIMIZERS = {
    "sgd": lambda p, c: torch.optim.SGD(p, lr=c["lr"], momentum=c.get("momentum", 0.0)),
    "adam": lambda p, c: torch.optim.Adam(p, lr=c["lr"]),
}


def freeze_matching(model, patterns):
    n = 0
    for name, p in model.named_parameters():
        if any(re.search(pat, name) for pat in patterns):
            p.requires_grad_(False)
            n += 1
    return n


def make_optimizer(model, cfg):
    freeze_matching(model, cfg.get("frozen", []))
    params = [p for p in model.parameters() if p.requires_grad]
    return OPTIMIZERS[cfg["name"]](params, cfg)
