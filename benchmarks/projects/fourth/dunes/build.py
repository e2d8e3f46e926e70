"""Objects from dotted names."""
from importlib import import_module


def locate(dotted):
    module, _, attr = dotted.rpartition(".")
    return getattr(import_module(module), attr)


def build(node, **extra):
    node = dict(node)
    return locate(node.pop("factory"))(**node, **extra)
