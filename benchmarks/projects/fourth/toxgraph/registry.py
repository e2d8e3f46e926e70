from typing import Any, Callable, Optional


class Registry:
    """Names -> things, filled with a decorator."""

    def __init__(self, what: str, default: Optional[Any] = None) -> None:
        self.what = what
        self.default = default
        self._items: dict[str, Any] = {}

    def add(self, name: str) -> Callable[[Any], Any]:
        def deco(thing: Any) -> Any:
            if name in self._items:
                raise KeyError(f"{self.what} {name} exists")
            self._items[name] = thing
            return thing
        return deco

    def pick(self, name: str) -> Any:
        if self.default is not None:
            return self._items.get(name, self.default)
        return self._items[name]

    def __repr__(self) -> str:
        return f"<{self.what}: {', '.join(sorted(self._items))}>"
