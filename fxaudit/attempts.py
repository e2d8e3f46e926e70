"""One failing part never costs the report: it is left out, and the report says that it is missing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TypeVar

from fxaudit.errors import FxauditError

__all__ = ["STRICT", "attempt", "attempted", "described", "note"]

T = TypeVar("T")

STRICT = "FXAUDIT_STRICT"
"""With this environment variable set a failing part raises: fxaudit's own tests must not pass over a defect."""


def attempt(part: str, make: Callable[[], T], otherwise: T, notes: list[str]) -> T:
    """What `make` returns; `otherwise` where it raises, with a sentence in `notes` that names the `part`."""
    try:
        return make()
    except FxauditError:
        raise  # misuse, told on purpose
    except Exception as error:
        note(part, error, notes)
        return otherwise


def attempted(part: str, make: Callable[[], Iterator[T]], notes: list[str]) -> Iterator[T]:
    """What `make` yields until it raises; then a sentence in `notes` names the `part`."""
    try:
        yield from make()
    except Exception as error:
        note(part, error, notes)


def described(error: BaseException) -> str:
    """The exception's type and message, also where its own `__str__` raises."""
    try:
        text = str(error)
    except Exception as worse:
        text = f"its message could not be had: {type(worse).__name__}"
    first = text.strip().split("\n", 1)[0]
    name = type(error).__name__
    return f"{name}: {first[:200]}" if first else name


def note(part: str, error: Exception, notes: list[str]) -> None:
    """Put a sentence into `notes`: the `part` is missing, because of `error`.

    Raises:
        Exception: `error` itself, where a failing part is to be seen at once (`STRICT`).
    """
    if os.environ.get(STRICT):
        raise error
    sentence = f"Could not be seen: {part}, because fxaudit itself failed there ({described(error)}). The rest stands."
    if sentence not in notes:
        notes.append(sentence)
