"""YAML files that inherit from each other."""
import os

import yaml


def merge(base, child):
    out = dict(base)
    for key, value in child.items():
        if isinstance(value, dict) and isinstance(out.get(key), dict):
            out[key] = merge(out[key], value)
        else:
            out[key] = value
    return out


def read(path):
    with open(path) as f:
        tree = yaml.safe_load(f)
    parent = tree.pop("inherits", None)
    if parent is None:
        return tree
    return merge(read(os.path.join(os.path.dirname(path), parent)), tree)
