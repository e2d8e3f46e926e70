"""Dot-access configuration with dotlist overrides."""
import yaml


class Node(dict):
    def __getattr__(self, key):
        try:
            return self[key]
        except KeyError as e:
            raise AttributeError(key) from e

    @classmethod
    def wrap(cls, obj):
        if isinstance(obj, dict):
            return cls({k: cls.wrap(v) for k, v in obj.items()})
        return obj

    def select(self, path, default=None):
        node = self
        for part in path.split("."):
            if not isinstance(node, dict) or part not in node:
                return default
            node = node[part]
        return node

    def update_path(self, path, value):
        *parents, leaf = path.split(".")
        node = self
        for part in parents:
            node = node.setdefault(part, Node())
        node[leaf] = value


def load(path, dotlist=()):
    with open(path) as f:
        conf = Node.wrap(yaml.safe_load(f))
    for item in dotlist:
        key, value = item.split("=", 1)
        conf.update_path(key, yaml.safe_load(value))
    return conf
