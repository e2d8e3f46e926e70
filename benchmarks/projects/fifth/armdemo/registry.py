class Registry:
    """Name -> object, filled by decorators when the plugins are imported."""

    def __init__(self, what):
        self.what = what
        self._items = {}

    def register(self, name):
        def keep(obj):
            self._items[name] = obj
            return obj
        return keep

    def __iter__(self):
        return iter(self._items.items())

    def __getitem__(self, name):
        if name not in self._items:
            raise KeyError(f"no {self.what} named {name!r}")
        return self._items[name]


OBJECTIVES = Registry("objective")
