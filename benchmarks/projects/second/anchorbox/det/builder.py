PARTS = {}


def part(cls):
    PARTS[cls.__name__] = cls
    return cls


def build(cfg, **extra):
    args = {k: v for k, v in cfg.items() if k != "type"}
    args.update(extra)
    return PARTS[cfg["type"]](**args)


def parse_losses(losses):
    """Sum of everything whose key has 'loss' in it; the rest is only for the log."""
    total = sum(v for k, v in losses.items() if "loss" in k)
    log = {k: float(v.detach()) for k, v in losses.items()}
    return total, log
