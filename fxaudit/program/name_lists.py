"""Lists of names in the program and in its configuration files, and the names in them that nothing has."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

from fxaudit.program.config_files import settings_in
from fxaudit.program.name_tests import InVain, nearest_part
from fxaudit.program.tree import tree_of

__all__ = ["list_of_the_chosen", "listed_in_vain", "lists_of"]

ALONE = 5
"""A name that stands alone in its list has so many letters, and one is wrong."""

SHORTEST = 3
"""What a part of a model is called has so many letters."""
LONGEST = 64
"""A longer list holds data: words, labels."""
MOST = 2_000
"""So many names are looked at for a near one."""

Texts = list[tuple[int, str]]

_INLINE = re.compile(r"""\[((?:\s*["']?[\w.\-]+["']?\s*,?)+)\]""")
_ITEM = re.compile(r"""^\s*-\s+["']?([\w.\-]+)["']?\s*(?:#.*)?$""")
_WORD = re.compile(r"[\w.\-]+")


def listed_in_vain(
    files: Iterable[str], config_files: Iterable[str], names: Sequence[str], wanted: Sequence[str]
) -> Iterator[InVain]:
    """The texts that stand in a list beside names of modules or parameters, that none of `names` has, and that one of
    the `wanted` names nearly has."""
    listed = [(file, texts) for file in files for texts in _in_program(file)]
    listed += [(file, texts) for file in config_files for texts in _in_settings(file)]
    known = "".join(f".{name}.\n" for name in names)
    for file, texts in listed:
        if len(texts) > LONGEST:
            continue
        parts = {text for _, text in texts if f".{text}." in known}
        for line, text in texts:
            if text in known or not (parts or (len(texts) == 1 and len(text) >= ALONE)):
                continue
            near = nearest_part(text, wanted[:MOST])
            if near is None or any(other == near[0] for _, other in texts):
                continue  # the name that it nearly is stands beside it: the list serves several models
            if parts or near[1] == 1:
                yield InVain(file, line, text, *near, tuple(name for name in wanted if near[0] in name))


def list_of_the_chosen(
    files: Iterable[str], config_files: Iterable[str], chosen: Sequence[str], others: Sequence[str]
) -> tuple[str, int] | None:
    """(file, line) of the one list whose texts are the parts that all `chosen` parameters belong to, and no other one.

    None where no list is that, or several are.
    """
    listed = [(file, texts) for file in files for texts in _in_program(file)]
    listed += [(file, texts) for file in config_files for texts in _in_settings(file)]
    found = []
    for file, texts in listed:
        parts = {text for _, text in texts}
        if len(texts) > LONGEST or not all(len(text) >= SHORTEST for text in parts):
            continue
        used = {text for text in parts for name in chosen if f"{name}.".startswith(f"{text}.")}
        is_all = all(any(f"{name}.".startswith(f"{text}.") for text in parts) for name in chosen)
        beside = any(f"{name}.".startswith(f"{text}.") for text in parts for name in others)
        if chosen and used == parts and is_all and not beside:
            found.append((file, texts[0][0]))
    return found[0] if len(found) == 1 else None


def lists_of(files: Iterable[str], config_files: Iterable[str], texts: Sequence[str]) -> list[tuple[str, int]]:
    """(file, line) of each list, in the program and its configuration files, of just these texts."""
    listed = [(file, found) for file in files for found in _in_program(file)]
    listed += [(file, found) for file in config_files for found in _in_settings(file)]
    return [(file, found[0][0]) for file, found in listed if {text for _, text in found} == set(texts)]


def _in_program(file: str) -> Iterator[Texts]:
    tree = tree_of(file)
    for node in tree.parents if tree is not None else ():
        match node:
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                found = [(n.lineno, n.value) for n in parts if isinstance(n, ast.Constant) and isinstance(n.value, str)]
                if found and len(found) == len(parts):
                    yield found


def _in_settings(file: str) -> Iterator[Texts]:
    block: Texts = []
    for number, line in enumerate(settings_in(file), 1):
        item = _ITEM.match(line)
        if item is not None:
            block.append((number, item[1]))
            continue
        if block:
            yield block
            block = []
        for found in _INLINE.finditer(line.partition("#")[0]):
            yield [(number, word) for word in _WORD.findall(found[1])]
    if block:
        yield block


def texts_beside(file: str, line: int, text: str) -> list[str]:
    """The other texts of the list in which the text stands at the line."""
    tree = tree_of(file)
    for node in tree.nodes if tree is not None else ():
        if isinstance(node, ast.List | ast.Tuple | ast.Set) and node.lineno <= line <= (node.end_lineno or node.lineno):
            found = [e.value for e in node.elts if isinstance(e, ast.Constant) and isinstance(e.value, str) and e.value]
            if text in found:
                return [other for other in found if other != text]
    return []
