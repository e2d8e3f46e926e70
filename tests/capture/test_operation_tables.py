"""What torch's operations do stands in one table, and nowhere else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import fxaudit
from fxaudit.capture.operations import OPERATIONS

PACKAGE = Path(fxaudit.__file__).parent
READING_SOURCE = ("program", "renderers", "answer")
"""Floors that read or write text, and may not ask the table."""
OTHERWISE = {
    "capture/symbolic/sizes.py": "what Python computes of numbers",
    "judge/questions/mentions.py": "what everybody asks of a module",
}
NAMES = {name for row in OPERATIONS if not row.quiet for name in (row.name, *row.also, f"{row.name}_")}


def tables_in(tree: ast.AST) -> Iterator[tuple[int, list[str]]]:
    """(line, names) of each collection that is written down and has three names of operations, or more."""
    for node in ast.walk(tree):
        known = sorted({word for word in _words(node) if word in NAMES})
        if len(known) > 2:
            yield getattr(node, "lineno", 0), known


def _words(node: ast.AST) -> list[str]:
    match node:
        case ast.Set(elts=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Dict(keys=parts):
            return [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        case ast.MatchOr(patterns=parts):
            values = [part.value for part in parts if isinstance(part, ast.MatchValue)]
            return [value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)]
        case ast.Call(func=ast.Attribute(attr="split", value=ast.Constant(value=str(text))), args=[]):
            return text.split()
        case ast.Call(args=[ast.Constant(value=str(text))]) if all(word.isidentifier() for word in text.split()):
            return text.split()
    return []


def test_no_other_table_of_operations_grows() -> None:
    found = []
    for file in sorted(PACKAGE.rglob("*.py")):
        name = file.relative_to(PACKAGE).as_posix()
        if name.startswith(("capture/operations/", *READING_SOURCE)) or name in OTHERWISE:
            continue
        found += [f"{name}:{line}: {' '.join(known)}" for line, known in tables_in(ast.parse(file.read_text("utf-8")))]
    assert found == [], "give the operations a trait in fxaudit/capture/operations, and ask for that"


def test_what_is_excepted_needs_it() -> None:
    trees = {name: ast.parse((PACKAGE / name).read_text("utf-8")) for name in OTHERWISE}
    assert [name for name, tree in trees.items() if not any(tables_in(tree))] == []


def test_a_table_is_found_however_it_is_written() -> None:
    forms = (
        'X = frozenset({"relu", "tanh", "clamp_"})',
        'X = "relu tanh clamp_".split()',
        'X = words("relu tanh clamp_")',
        'X = {"relu": 1, "tanh": 2, "clamp_": 3}',
        'match x:\n    case "relu" | "tanh" | "clamp_":\n        pass',
    )
    assert [len(list(tables_in(ast.parse(form)))) for form in forms] == [1] * len(forms)
