"""Parts of an answer that are made when somebody first asks: most audits of healthy programs are never drawn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from fxaudit.answer.answer import ParameterReport
from fxaudit.answer.picture_data import GraphData

__all__ = ["LateGraphData", "LateReports"]

_LOCK = threading.RLock()
_FIELDS = tuple(field.name for field in fields(GraphData))


class LateReports(Mapping[str, ParameterReport]):
    """The reports on parameters by their names, in order; each is made once, when it is asked for."""

    __slots__ = ("_made", "_make")

    def __init__(self, names: Sequence[str], make: Callable[[str], ParameterReport]) -> None:
        self._made: dict[str, ParameterReport | None] = dict.fromkeys(names)
        self._make = make

    def __getitem__(self, name: str) -> ParameterReport:
        report = self._made[name]
        if report is None:
            report = self._made[name] = self._make(name)
        return report

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)

    def __repr__(self) -> str:
        return repr(dict(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


class LateGraphData(GraphData):
    """A graph of which nothing is known before the first of its fields is read."""

    __slots__ = ("_make",)

    @classmethod
    def of(cls, make: Callable[[], GraphData]) -> GraphData:
        """The graph that `make` will be asked for, once."""
        late = object.__new__(cls)
        object.__setattr__(late, "_make", make)
        return late

    def __getattr__(self, name: str) -> Any:
        if name not in _FIELDS:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        with _LOCK:
            try:
                return object.__getattribute__(self, name)  # another thread asked, too, and was first
            except AttributeError:
                made = self._make()
            for field in _FIELDS:
                object.__setattr__(self, field, getattr(made, field))
            object.__delattr__(self, "_make")
        return getattr(made, name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GraphData) and self._all() == tuple(getattr(other, field) for field in _FIELDS)

    def __hash__(self) -> int:
        return hash(self._all())

    def __reduce__(self) -> tuple[Any, ...]:
        return GraphData, self._all()

    def _all(self) -> tuple[Any, ...]:
        return tuple(getattr(self, field) for field in _FIELDS)
