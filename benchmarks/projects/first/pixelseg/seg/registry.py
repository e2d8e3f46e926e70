class Registry:
    """Maps a `type` string of the configuration to a class or function."""

    def __init__(self, name):
        self.name = name
        self._items = {}

    def register(self, key):
        def wrap(obj):
            if key in self._items:
                raise KeyError(f"{key} already in {self.name}")
            self._items[key] = obj
            return obj
        return wrap

    def build(self, cfg, **extra):
        cfg = dict(cfg)
        key = cfg.pop("type")
        return self._items[key](**cfg, **extra)


MODELS = Registry("models")
LOSSES = Registry("losses")
