"""What left torch as numbers and arrays, so that it is known when it comes back."""

from __future__ import annotations

from typing import Any

import torch

from fxaudit.capture.repeats import KEPT, KEPT_NUMBERS, Site

__all__ = ["Escapes"]

MAX_NUMBERS = 10_000
"""So many numbers of a list are recognised."""


class Escapes:
    """The results of operations that left torch. Each is kept until `clear`: its `id` belongs to nothing else so."""

    def __init__(self) -> None:
        self._things: dict[int, tuple[object, int]] = {}
        """`id` of a number, a list or an array → that thing, and the operation by which it left."""
        self._arrays: dict[int, int] = {}
        """Pointer of an array's memory → the operation by which it left."""

    def __len__(self) -> int:
        return len(self._things) + len(self._arrays)

    def clear(self) -> None:
        """Forget all of them."""
        self._things.clear()
        self._arrays.clear()

    def keep(self, result: Any, op: int, limit: int = MAX_NUMBERS) -> tuple[list[int], int | None]:
        """Recognise `result`, which the operation `op` gave: its `id`s, and the pointer of an array."""
        kept, pointer = [result], None
        if isinstance(result, list):
            kept.extend(_flat_numbers(result, limit))
        elif (pointer := _array_pointer(result)) is not None:
            self._arrays[pointer] = op
        elif not isinstance(result, float | complex):
            return [], None
        for thing in kept:
            self._things[id(thing)] = (thing, op)
        return [id(thing) for thing in kept], pointer

    def keep_latest(self, result: Any, site: Site) -> None:
        """The same where enough was recorded at `site`: the latest are kept in place of those before them."""
        site.latest.append(self.keep(result, site.op, KEPT_NUMBERS))
        if len(site.latest) > KEPT:
            keys, pointer = site.latest.popleft()
            for key in keys:
                self._things.pop(key, None)
            if pointer is not None and all(pointer != other for _, other in site.latest):
                self._arrays.pop(pointer, None)

    def op_of(self, item: object) -> int | None:
        """The operation by which this very object left, None where it is not known."""
        known = self._things.get(id(item))
        return known[1] if known is not None and known[0] is item else None

    def behind(self, args: tuple[Any, ...]) -> tuple[int, ...]:
        """The operations whose results `torch.tensor` and its kin received as their first argument."""
        if not args or isinstance(args[0], torch.Tensor):
            return ()
        op = self.op_of(args[0])
        if op is not None:
            return (op,)
        pointer = _array_pointer(args[0])
        if pointer is not None:
            return (self._arrays[pointer],) if pointer in self._arrays else ()
        found = (self.op_of(number) for number in _flat_numbers(args[0], MAX_NUMBERS))
        return tuple(dict.fromkeys(op for op in found if op is not None))


def _array_pointer(item: object) -> int | None:
    interface = getattr(item, "__array_interface__", None)
    if isinstance(interface, dict):
        pointer = interface.get("data")
        if isinstance(pointer, tuple) and isinstance(pointer[0], int):
            return pointer[0]
    return None


def _flat_numbers(item: object, limit: int) -> list[float]:
    found: list[float] = []
    queue: list[object] = [item]
    while queue and len(found) < limit:
        part = queue.pop()
        if isinstance(part, list | tuple):
            queue.extend(part)
        elif isinstance(part, float):
            found.append(part)
    return found
