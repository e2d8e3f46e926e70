"""The variables that things are known by: the longest-living first, parts of something where no variable has them."""

from __future__ import annotations

import itertools
import types
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FrameType

import torch
from torch import nn

from fxaudit.program.source import variables_of

__all__ = ["modules_around", "names_of"]

MAX_FRAMES = 40
MAX_OBJECTS = 50
"""So many objects that the objects in the variables of a frame hold are looked into."""
MAX_PARTS = 200
"""So many members of a list, or attributes of an object, are looked at."""


def names_of(things: Iterable[object], frame: FrameType | None, skips: Callable[[CodeType], bool]) -> dict[int, str]:
    """`id` of each thing → what the program running in `frame` calls it; frames whose code is skipped do not count.

    A variable of an outer frame outlives that of an inner one. A list's member is `weights[0]`, an attribute of an
    object `agent.temperature`, or `temperature` in the object's own methods; one of an object that another one holds
    `agent.average.shadow`.
    """
    wanted = {id(thing): thing for thing in things}
    scopes = _scopes(frame, skips)
    found: dict[int, str] = {}
    for reading in (_variables, _parts, _parts_of_parts):
        for scope in reversed(scopes) if len(found) < len(wanted) else ():
            for name, value in reading(scope):
                if wanted.get(id(value), _NOTHING) is value:
                    found.setdefault(id(value), name)
    return found


def modules_around(frame: FrameType | None, skips: Callable[[CodeType], bool]) -> Iterator[nn.Module]:
    """The modules that variables of the program running in `frame` hold, and the attributes of objects in them."""
    for scope in _scopes(frame, skips):
        for reading in (_variables, _parts):
            yield from (value for _, value in reading(scope) if isinstance(value, nn.Module))


def _scopes(frame: FrameType | None, skips: Callable[[CodeType], bool]) -> list[dict[str, object]]:
    """The variables of the frames that count, the innermost first."""
    found: list[dict[str, object]] = []
    while frame is not None and len(found) < MAX_FRAMES:
        if not skips(frame.f_code):
            found.append(dict(_own(frame)))
        frame = frame.f_back
    return found


_NOTHING = object()


def _own(frame: FrameType) -> Iterator[tuple[str, object]]:
    """The variables of a frame; the object whose method runs is `self`, whatever it is called there."""
    code = frame.f_code
    first = code.co_varnames[0] if code.co_argcount else ""
    for name, value in variables_of(frame).items():
        is_self = name == "self" or (name == first and getattr(type(value), code.co_name, None) is not None)
        if is_self or not name.startswith("_"):
            yield ("self" if is_self else name), value


def _variables(scope: dict[str, object]) -> Iterator[tuple[str, object]]:
    return ((name, value) for name, value in scope.items() if name != "self")


def _parts(scope: dict[str, object]) -> Iterator[tuple[str, object]]:
    """Members of lists and dicts, and attributes of plain objects."""
    for name, value in scope.items():
        if type(value) in (list, tuple):
            yield from ((f"{name}[{n}]", part) for n, part in enumerate(value[:MAX_PARTS]))  # type: ignore[index]
        elif type(value) is dict:
            yield from ((f"{name}[{key!r}]", part) for key, part in list(value.items())[:MAX_PARTS])
        elif _is_plain(value):
            prefix = "" if name == "self" else f"{name}."
            for key, part in list(vars(value).items())[:MAX_PARTS]:
                if not key.startswith("_"):
                    yield f"{prefix}{key}", part


def _parts_of_parts(scope: dict[str, object]) -> Iterator[tuple[str, object]]:
    """Attributes of plain objects that plain objects have as attributes: `trainer.average.shadow`."""
    objects = {name: value for name, value in scope.items() if _is_plain(value)}
    held = ((name, part) for name, part in _parts(objects) if _is_plain(part))
    yield from _parts(dict(itertools.islice(held, MAX_OBJECTS)))


def _is_plain(value: object) -> bool:
    known = isinstance(value, torch.Tensor | nn.Module | torch.optim.Optimizer | type | types.ModuleType)
    return not known and hasattr(value, "__dict__") and not callable(value)
