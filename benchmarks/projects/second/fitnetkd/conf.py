from types import SimpleNamespace


def make(profile="cpu"):
    conf = SimpleNamespace(
        seed=6,
        teacher=dict(width=12, depth=3),
        student=dict(width=6, depth=2),
        hints=[(0, 0), (1, 2)],
        alpha=0.6,
        beta=0.5,
        temperature=3.0,
        prune_threshold=0.02,
        init_scale=2.0 ** 10,
        lr=0.02,
        steps=10,
        batch=12,
    )
    if profile == "fast":
        conf.steps = 6
    return conf
