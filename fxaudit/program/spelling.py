"""How near two names are to each other."""

from __future__ import annotations

import re

__all__ = ["abbreviates", "are_opposed", "letters_apart", "means_the_same", "plain", "shares_words", "written_alike"]

SHORTENED = 3
"""A word is cut short to so many letters at least."""
SHORT, LONG = 5, 9
"""Names shorter than the first are never near; from the second on, two letters may differ."""
KEPT = frozenset("keep kept retain retained survival surviving".split())
SAME = (
    frozenset({"freeze", "frozen", "freezing"}),
    frozenset({"unfreeze", "unfrozen", "unfreezing"}),
    frozenset({"lr", "learning_rate"}),
    frozenset({"wd", "weight_decay"}),
)
"""Names that mean the same setting."""
DROPPED = frozenset("drop dropout dropped uncond unconditional".split())
"""What a share may be of: what is kept of something, and what is not."""


def letters_apart(one: str, other: str) -> int | None:
    """How many letters differ between two names; None where they are not near. 0: only case, dots, `_` and `-` do."""
    if written_alike(one, other):
        return 0
    if re.sub(r"\d", "", one) == re.sub(r"\d", "", other):
        return None  # another number is another thing
    limit = 0 if len(other) < SHORT else 1 if len(other) < LONG else 2
    distance = _distance(one, other, max(limit, 1))
    is_plural = distance == 1 and (f"{one}s" == other or f"{other}s" == one)
    return distance if distance <= limit or is_plural else None


def written_alike(one: str, other: str) -> bool:
    """Whether the names differ in case, dots, `_` and `-` alone."""
    return plain(one) == plain(other)


def shares_words(one: str, other: str) -> bool:
    """Whether all but one of the words of two names are the same: `on_epoch_begin` and `on_epoch_start`."""
    first, second = one.split("_"), other.split("_")
    apart = sum(a != b for a, b in zip(first, second, strict=False))
    return len(first) == len(second) > 1 and apart <= 1


def abbreviates(one: str, other: str) -> bool:
    """Whether two names of several words have the same ones, but that one is cut short: `aux_weight` and
    `auxiliary_weight`, `get_params` and `get_parameters`."""
    first, second = one.lower().split("_"), other.lower().split("_")
    if len(first) != len(second) or len(first) < 2:
        return False
    apart = [(a, b) for a, b in zip(first, second, strict=True) if a != b]
    return len(apart) == 1 and all(_is_cut_short(a, b) or _is_cut_short(*_singular(a, b)) for a, b in apart)


def _is_cut_short(one: str, other: str) -> bool:
    return min(len(one), len(other)) >= SHORTENED and (one.startswith(other) or other.startswith(one))


def _singular(one: str, other: str) -> tuple[str, str]:
    """Both words without their plural, where both have one."""
    return (one[:-1], other[:-1]) if one.endswith("s") and other.endswith("s") else (one, other)


def means_the_same(one: str, other: str) -> bool:
    """Whether two names are forms of one word, or the long and the short name of one setting, alone or with the same
    words around it: `freeze_encoder` and `encoder_frozen`."""
    for names in SAME:
        rests = [
            {
                "_".join(sorted(word for word in name.lower().replace(form, "").split("_") if word))
                for form in names
                if form in name.lower()
            }
            for name in (one, other)
        ]
        if one != other and rests[0] & rests[1]:
            return True
    return False


def are_opposed(one: str, other: str) -> bool:
    """Whether one name is that of a share that is kept, and the other that of a share that is dropped."""
    first, second = set(one.lower().split("_")), set(other.lower().split("_"))
    kept, dropped = (bool(first & KEPT), bool(second & KEPT)), (bool(first & DROPPED), bool(second & DROPPED))
    return kept != dropped and sorted((kept, dropped)) == [(False, True), (True, False)]


def plain(text: str) -> str:
    """A name without case, dots, `_` and `-`."""
    return re.sub(r"[._\-]", "", text).lower()


def _distance(one: str, other: str, limit: int) -> int:
    """How many letters have to be written, left out, exchanged or swapped with their neighbour."""
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, with_ in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != with_))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == with_:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]
