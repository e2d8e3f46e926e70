"""Registries in the manner of the OpenMMLab projects."""
BACKBONES, MODELS = {}, {}


def register_in(table):
    def deco(cls):
        table[cls.__name__] = cls
        return cls
    return deco


def build_from(table, cfg, **kw):
    cfg = dict(cfg)
    cls = table[cfg.pop("type")]
    return cls(**cfg, **kw)


def layer_groups(named_params, lr, scales):
    """One group for each top-level part; parts without a scale are not updated."""
    parts = {}
    for name, p in named_params:
        parts.setdefault(name.split(".")[0], []).append(p)
    return [{"params": ps, "lr": lr * scales.get(part, 0.0)} for part, ps in parts.items()]
