import torch
import torch.nn as nn


def apply_freeze(model, cfg):
    for name in cfg.get("modules", []):
        getattr(model, name).requires_grad_(False)
    if cfg.get("norm_eval"):
        for m in model.stem.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.eval()


def build(model, cfg, sched):
    groups = {}
    for name, p in model.named_parameters():
        if not p.requires_grad:
            continue
        top = name.split(".")[0]
        mult = cfg["lr_mult"].get(top, 1.0)
        groups.setdefault(mult, []).append(p)
    opt = torch.optim.SGD(
        [{"params": ps, "lr": cfg["lr"] * m} for m, ps in groups.items()],
        lr=cfg["lr"], momentum=cfg["momentum"],
    )
    poly = lambda it: max(0.0, 1 - it / sched["max_iters"]) ** sched["power"]
    return opt, torch.optim.lr_scheduler.LambdaLR(opt, poly)
