"""Folds lists of fully-qualified parameter names into the patterns that people would write.

A pattern is a name with alternatives in braces, `encoder.layers.{0..11}.attn.{q,k}.weight`, and it may end in `.*`:
every parameter of that module, which is only claimed where the universe of all names shows that it is true. A brace,
star or backslash that belongs to a name is written with a backslash before it, so a pattern means one thing only.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

__all__ = ["Fold", "Universe", "expand", "fold", "fold_sentence", "folds"]

SHORT = 36
"""Letters that the names of a sentence may have before the last one of them is only counted."""

LONGEST_LIST = 8
"""Alternatives in one pair of braces, before a second pattern begins: a list that long is no longer read."""

# A dot within a key, `params['0.weight']`, parts nothing.
_BOUNDARY = re.compile(r"(?=\.)(?![^\[]*'\])|(?=\[\d+\])")
_NUMBER = re.compile(r"(?a:(\.?|\[)(0|[1-9][0-9]*)(\]?))")
_RANGE = re.compile(r"(?a:([0-9]+)\.\.([0-9]+))")


@dataclass(frozen=True, slots=True)
class Fold:
    """A pattern, and the names it stands for, in the order in which they were given."""

    pattern: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Universe:
    """All names there are; made once where many lists are folded against the same names.

    `below` counts, for every module, the names below it.
    """

    names: frozenset[str]
    below: dict[str, int]

    @classmethod
    def of(cls, names: Iterable[str]) -> Universe:
        """The universe that consists of `names`."""
        known = frozenset(names)
        below: dict[str, int] = {}
        for name in known:
            for prefix in itertools.accumulate(_BOUNDARY.split(name)[:-1]):
                below[prefix] = below.get(prefix, 0) + 1
        return cls(known, below)


@dataclass(slots=True)
class _Module:
    """One component of the given names and what hangs below it; `strangers` are those that the universe lacks."""

    children: dict[str, _Module] = field(default_factory=dict)
    is_name: bool = False
    names: int = 0
    strangers: int = 0


def fold(names: Iterable[str], universe: Iterable[str] | Universe | None = None) -> list[str]:
    """`names` as few patterns, which together stand for exactly these names.

    Numeric components become ranges, names that differ in one component a list of alternatives. With a `universe` (all
    names there are), a module whose every parameter is among `names` becomes `module.*`.

    Example:
        >>> fold(["layers.0.weight", "layers.1.weight", "layers.2.weight", "head.weight", "head.bias"])
        ['layers.{0..2}.weight', 'head.{weight,bias}']
        >>> fold(["head.weight", "head.bias"], universe=["embed.weight", "head.weight", "head.bias"])
        ['head.*']
    """
    return [folded.pattern for folded in folds(names, universe)]


def folds(names: Iterable[str], universe: Iterable[str] | Universe | None = None) -> list[Fold]:
    """The patterns of `fold`, each with the names it stands for."""
    given = list(dict.fromkeys(names))
    position = {name: index for index, name in enumerate(given)}
    known = universe if isinstance(universe, Universe) or universe is None else Universe.of(universe)
    root = _tree(given, known)
    forms: dict[int, list[tuple[str, list[str]]]] = {}
    for prefix, module in _from_the_leaves(root):
        forms[id(module)] = _forms(prefix, module, forms, known, is_root=module is root)
        for child in module.children.values():
            forms.pop(id(child), None)
    found = [Fold(pattern, tuple(sorted(members, key=position.__getitem__))) for pattern, members in forms[id(root)]]
    return sorted(found, key=lambda folded: position[folded.names[0]])


def fold_sentence(names: Iterable[str], universe: Iterable[str] | Universe | None = None, limit: int = 3) -> str:
    """`names` as part of a sentence: up to `limit` patterns in backticks, then how many parameters are left.

    One that is left is named, if that takes no more room than a count is worth.

    Example:
        >>> fold_sentence(["a.0", "a.1", "b.weight", "c.weight", "d.weight"], limit=2)
        '`a.{0,1}`, `b.weight` and 2 more'
        >>> fold_sentence(["wte.weight", "lm_head.weight"], limit=1)
        '`wte.weight` and `lm_head.weight`'
    """
    found = folds(names, universe)
    if len(found) == limit + 1 and len(found[limit].names) == 1:
        limit += sum(len(folded.pattern) for folded in found) <= SHORT
    shown = [f"`{folded.pattern}`" for folded in found[:limit]]
    left = sum(len(folded.names) for folded in found[limit:])
    if left:
        return f"{', '.join(shown)} and {left} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def expand(pattern: str, universe: Iterable[str] | None = None) -> list[str]:
    """The names that `pattern` stands for: the inverse of `fold`.

    Raises:
        ValueError: The pattern ends in `.*`, and there is no `universe` to say what that means.

    Example:
        >>> expand("layers.{0..2}.weight")
        ['layers.0.weight', 'layers.1.weight', 'layers.2.weight']
    """
    parts = list(_parts(pattern))
    is_open = parts[-1:] == [None]
    names = ["".join(chosen) for chosen in itertools.product(*(part for part in parts if part is not None))]
    if not is_open:
        return names
    if universe is None:
        raise ValueError(f"The pattern {pattern!r} ends in a star: give the universe of all names.")
    prefixes = tuple(names)
    return [name for name in universe if name.startswith(prefixes)]


def _tree(given: Sequence[str], universe: Universe | None) -> _Module:
    root = _Module()
    for name in given:
        is_stranger = universe is not None and name not in universe.names
        module = root
        # Each component keeps the dot or bracket before it, so that joining them gives the name back.
        for component in _BOUNDARY.split(name):
            module = module.children.setdefault(component, _Module())
            module.names += 1
            module.strangers += is_stranger
        module.is_name = True
    return root


def _from_the_leaves(root: _Module) -> Iterator[tuple[str, _Module]]:
    """Every module with its name, children before parents; without recursion, as names may be deep."""
    waiting: list[tuple[str, _Module, bool]] = [("", root, False)]
    while waiting:
        prefix, module, is_seen = waiting.pop()
        if is_seen:
            yield prefix, module
            continue
        waiting.append((prefix, module, True))
        waiting.extend((prefix + key, child, False) for key, child in module.children.items())


def _forms(
    prefix: str,
    module: _Module,
    known: dict[int, list[tuple[str, list[str]]]],
    universe: Universe | None,
    is_root: bool,
) -> list[tuple[str, list[str]]]:
    """The patterns below `module`, relative to it, each with the names it stands for."""
    found: list[tuple[str, list[str]]] = [("", [prefix])] if module.is_name else []
    below = [(key, form, members) for key, child in module.children.items() for form, members in known[id(child)]]
    count = module.names - module.is_name
    if (
        universe is not None
        and not is_root
        and not module.strangers
        and 1 < count == universe.below.get(prefix, 0)
        and all(key.startswith(".") for key in module.children)
    ):
        found.append((".*", [name for _, _, members in below for name in members]))
        return found
    groups: dict[tuple[_Kind, str], list[tuple[str, list[str]]]] = {}
    for key, form, members in below:
        groups.setdefault((_kind(key, form, is_root), form), []).append((key, members))
    for (kind, form), group in groups.items():
        found.extend((kind.pattern(items) + form, names) for items, names in _pieces(kind, group))
    return found


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a component may be folded with: another one of the same kind, if the patterns below the two are the same."""

    is_number: bool
    before: str
    after: str = ""
    only: str = ""

    def pattern(self, items: list[str]) -> str:
        """One pattern for the components `items`, each given without what stands before and after it."""
        if len(items) == 1 and not (self.is_number and ".." in items[0]):
            inside = _escaped(items[0], r"{}*\\")
        else:
            inside = "{" + ",".join(_escaped(item, r"{}*,\\") for item in items) + "}"
        return self.before + inside + self.after


def _kind(component: str, form: str, is_root: bool) -> _Kind:
    number = _NUMBER.fullmatch(component)
    if number and (number[1] == "[") == bool(number[3]):
        return _Kind(True, number[1], number[3])
    # Modules at the top are the words people think in: they stay apart, only parameters are put together there.
    if is_root and form:
        return _Kind(False, "", only=component)
    if component.startswith("."):
        return _Kind(False, ".")
    return _Kind(False, "") if is_root else _Kind(False, "", only=component)


def _pieces(kind: _Kind, group: list[tuple[str, list[str]]]) -> Iterator[tuple[list[str], list[str]]]:
    """The group in the pieces that make one pattern each: (items in the braces, names)."""
    if kind.is_number:
        numbered = {int(component.strip(".[]")): names for component, names in group}
        runs = _runs(sorted(numbered))
        items = [
            (
                f"{first}..{last}" if first != last else str(first),
                [name for number in range(first, last + 1) for name in numbered[number]],
            )
            for first, last in runs
        ]
    else:
        items = [(component[len(kind.before) :], names) for component, names in group]
    for start in range(0, len(items), LONGEST_LIST):
        piece = items[start : start + LONGEST_LIST]
        yield [item for item, _ in piece], [name for _, names in piece for name in names]


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    """The sorted numbers as (first, last); two in a row stay apart: `{0,1}` reads better than `{0..1}`."""
    runs: list[tuple[int, int]] = []
    for _, members in itertools.groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        run = [number for _, number in members]
        runs += [(run[0], run[-1])] if len(run) > 2 else [(number, number) for number in run]
    return runs


def _escaped(text: str, special: str) -> str:
    return re.sub(f"[{special}]", r"\\\g<0>", text)


def _parts(pattern: str) -> Iterator[list[str] | None]:
    """The alternatives of each part of the pattern, in order; None is the star."""
    literal: list[str] = []
    items: list[str] | None = None
    characters = iter(pattern)
    for character in characters:
        match character:
            case "\\":
                literal.append(next(characters, "\\"))
            case "*":
                yield ["".join(literal)]
                yield None
                return
            case "{":
                yield ["".join(literal)]
                literal, items = [], []
            case "," | "}" if items is not None:
                items += _numbers("".join(literal))
                literal = []
                if character == "}":
                    yield items
                    items = None
            case _:
                literal.append(character)
    yield ["".join(literal)]


def _numbers(item: str) -> list[str]:
    bounds = _RANGE.fullmatch(item)
    return [str(number) for number in range(int(bounds[1]), int(bounds[2]) + 1)] if bounds else [item]
