"""A tiny Hydra: build nested objects from mappings with a _target_."""
import importlib


def locate(path):
    module, _, attr = path.rpartition(".")
    return getattr(importlib.import_module(module), attr)


def instantiate(node, **extra):
    if isinstance(node, dict):
        kwargs = {k: instantiate(v) for k, v in node.items() if k != "_target_"}
        if "_target_" not in node:
            return kwargs
        return locate(node["_target_"])(**kwargs, **extra)
    if isinstance(node, list):
        return [instantiate(v) for v in node]
    return node


def load_plugins(names):
    for name in names:
        importlib.import_module(name)
