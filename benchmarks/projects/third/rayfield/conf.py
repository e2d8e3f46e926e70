"""Dotted configuration: values by attribute, overrides as a.b=c."""
import ast


class Node(dict):
    def __getattr__(self, key):
        try:
            return self[key]
        except KeyError:
            raise AttributeError(key) from None

    __setattr__ = dict.__setitem__


def wrap(tree):
    return Node({k: wrap(v) for k, v in tree.items()}) if isinstance(tree, dict) else tree


DEFAULTS = {
    "scene": {"bound": 2.0, "near": 0.5, "far": 3.5, "views": 6},
    "field": {"hidden": 24, "bands": 3},
    "march": {"coarse": 8, "fine": 8},
    "train": {"iters": 8, "rays": 32, "lr": 5e-3, "pose_lr": 1e-3},
}


def load(overrides=()):
    cfg = wrap(DEFAULTS)
    for item in overrides:
        path, value = item.split("=", 1)
        *parents, leaf = path.split(".")
        node = cfg
        for name in parents:
            node = node[name]
        if leaf not in node:
            raise KeyError(path)
        node[leaf] = ast.literal_eval(value)
    return cfg
