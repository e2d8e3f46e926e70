"""Nested default settings; experiments override parts of the tree."""
import copy

BASE = {
    "seed": 11,
    "model": {
        "dim": 12,
        "moe": {"experts": 3, "hidden": 16, "capacity_factor": 2.0, "shared_expert": True},
        "layers": 2,
    },
    "loss": {"balance": 0.05, "z": 0.001},
    "optim": {"lr": 5e-3, "clip": 1.0},
    "steps": 10,
    "batch": 24,
}

EXPERIMENTS = {
    "debug": {"steps": 6},
    "wide": {"model": {"moe": {"hidden": 32}}},
    "tight": {"model": {"moe": {"capacity_factor": 1.5}}, "loss": {"z": 0.002}},
}


def merge(tree, over):
    tree = copy.deepcopy(tree)
    for k, v in over.items():
        if isinstance(v, dict) and isinstance(tree.get(k), dict):
            tree[k] = merge(tree[k], v)
        else:
            tree[k] = v
    return tree


def get(name):
    return merge(BASE, EXPERIMENTS[name])
