"""Long columns of numbers and names as short texts, which `data.js` reads back.

A digit is one of 64 characters that need no escape in JSON or HTML. A column of whole numbers is written with as many
digits for each as the largest needs, or, where that is shorter, as runs of equal ones.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

__all__ = ["named", "sizes", "spans", "whole"]

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"
RUN = 4
"""Digits of the length of a run."""
MANTISSAS = 900
"""Numbers of three significant digits between two powers of ten."""
NONE, ZERO, FIRST = 0, 1, 2
"""How a size that is not known, one that is zero and the smallest other one are written."""


def whole(numbers: Sequence[int]) -> str:
    """A column of whole numbers from 0: `=` or, of runs, `*`, then how many digits a number has, then the digits."""
    width = max(1, -(-max(numbers, default=0).bit_length() // 6))
    runs = [(number, len(list(group))) for number, group in itertools.groupby(numbers)]
    if len(runs) * (width + RUN) < len(numbers) * width:
        return f"*{width}" + "".join(_digits(number, width) + _digits(count, RUN) for number, count in runs)
    known = {number: _digits(number, width) for number in set(numbers)}
    return f"={width}" + "".join(map(known.__getitem__, numbers))


def _digits(number: int, width: int) -> str:
    return "".join(DIGITS[number >> 6 * place & 63] for place in range(width - 1, -1, -1))


def spans(found: Sequence[Sequence[int]]) -> str:
    """Spans of rows, [first, one past the last] in their order: how far each is behind the last, and how long."""
    ends = [0, *(end for _, end in found)]
    gaps = [first - before for (first, _), before in zip(found, ends, strict=False)]
    return f"{whole(gaps)} {whole([end - first for first, end in found])}"


def sizes(values: Iterable[float | None]) -> dict[str, object]:
    """A column of sizes of three significant digits; None is one that is not known, as is what is not finite."""
    split = [_split(value) for value in values]
    known = [found for found in split if isinstance(found, tuple)]
    low = min((exponent for _, exponent in known), default=0)
    numbers = [
        FIRST + (found[1] - low) * MANTISSAS + found[0] - 100 if isinstance(found, tuple) else found for found in split
    ]
    return {"low": low, "column": whole(numbers)}


def _split(value: float | None) -> int | tuple[int, int]:
    """The three digits of a size and the power of ten of the last of them."""
    if value is None or not math.isfinite(value) or value < 0:
        return NONE
    if value == 0:
        return ZERO
    mantissa, _, exponent = f"{value:.2e}".partition("e")
    return int(mantissa.replace(".", "")), int(exponent) - 2


def named(names: Sequence[str]) -> dict[str, object]:
    """Names as what each shares with the one before it, and an index of what follows."""
    rests: dict[str, int] = {}
    shared, following = [], []
    before = ""
    for name in names:
        common = _common(before, name)
        shared.append(common)
        following.append(rests.setdefault(name[common:], len(rests)))
        before = name
    return {"shared": whole(shared), "rest": whole(following), "texts": list(rests)}


def _common(one: str, other: str) -> int:
    """How many characters two names begin with in common, of those that JavaScript counts as one."""
    most = min(len(one), len(other))
    common = most if one[:most] == other[:most] else next(n for n in range(most) if one[n] != other[n])
    if one[:common].isascii():
        return common
    return next((n for n in range(common) if ord(one[n]) > 0xFFFF), common)
