"""Repairs that are an edit of one line: a diff to follow the sentence that says what to do.

Each function takes the line to blame and answers with diff lines, the first begun by a line end, or with nothing where
the line is not of the shape that can be edited with certainty.
"""

from __future__ import annotations

import ast
import itertools
import keyword
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TypeVar

from fxaudit.program.source import SourceLine

__all__ = ["added_after", "added_group", "called_flag", "filled", "non_reentrant", "registered", "without_detach"]

MOST_LISTED = 3
"""Parameters that are listed one by one; a longer list is none to paste."""

Kind = TypeVar("Kind", bound=ast.AST)


def without_detach(source: SourceLine | None) -> str:
    """The line without its `.detach()` or `.data`."""
    line = _Line.of(source)
    found = [node for node in line.meant() if _detached(node) is not None] if line else []
    if line is None or len(found) != 1 or (attribute := _detached(found[0])) is None:
        return ""
    # Up to the dot: brackets around what is detached are no part of its node.
    start, end = line.span(found[0])
    dot = line.span(attribute)[1] - len(attribute.attr)
    kept = line.code[start:dot].rstrip().removesuffix(".").rstrip()
    repaired = line.with_piece(start, end, kept)
    target, _, value = repaired.partition(" = ")
    return line.diff("" if target == value or repaired == kept else repaired)


def _detached(node: ast.AST) -> ast.Attribute | None:
    """The attribute by which `node` detaches, if it does."""
    match node:
        case ast.Call(func=ast.Attribute(attr="detach" | "detach_") as attribute, args=[], keywords=[]):
            return attribute
        case ast.Attribute(attr="data", ctx=ast.Load()) as attribute:
            return attribute
    return None


def registered(source: SourceLine | None, *, modules: bool) -> str:
    """The line with its list or dict in the container that registers it."""
    line = _Line.of(source)
    if line is None or not isinstance(line.statement, ast.Assign) or len(line.statement.targets) != 1:
        return ""
    value = line.statement.value
    if isinstance(value, ast.List | ast.ListComp):
        container = "ModuleList" if modules else "ParameterList"
    elif isinstance(value, ast.Dict | ast.DictComp):
        container = "ModuleDict" if modules else "ParameterDict"
    else:
        return ""
    start, end = line.span(value)
    namespace = "nn" if "torch.nn." not in line.code.replace("torch.nn.functional", "") else "torch.nn"
    return line.diff(line.with_piece(start, end, f"{namespace}.{container}({line.code[start:end]})"))


def non_reentrant(source: SourceLine | None) -> str:
    """The line with `use_reentrant=False`."""
    line = _Line.of(source)
    calls = [n for n in line.nodes(ast.Call) if _last_name(n.func).startswith("checkpoint")] if line else []
    if line is None or len(calls) != 1:
        return ""
    _, end = line.span(calls[0])
    for argument in calls[0].keywords:
        if argument.arg == "use_reentrant":
            return line.diff(line.with_piece(*line.span(argument.value), "False"))
    comma = ", " if line.code[: end - 1].rstrip()[-1:] not in "(," else ""
    return line.diff(line.with_piece(end - 1, end - 1, f"{comma}use_reentrant=False"))


def called_flag(source: SourceLine | None) -> str:
    """The line with `requires_grad_(…)` called instead of `requires_grad` assigned."""
    line = _Line.of(source)
    match line.statement if line else None:
        case ast.Assign(targets=[ast.Attribute(value=owner, attr="requires_grad")], value=value) if line is not None:
            flag = line.code[slice(*line.span(value))]
            return line.diff(f"{line.code[: line.span(owner)[1]]}.requires_grad_({flag})")
    return ""


def filled(source: SourceLine | None, model: str) -> str:
    """The line with the parameters of `model` for its empty list."""
    line = _Line.of(source)
    empty = [node for node in line.nodes(ast.List) if not node.elts] if line else []
    if line is None or len(empty) != 1 or not model:
        return ""
    return line.diff(line.with_piece(*line.span(empty[0]), f"{model}.parameters()"))


def added_after(source: SourceLine | None, added: str) -> str:
    """`added` behind the line, which stays."""
    line = _Line.of(source)
    return f"\n  {line.code}\n+ {added}" if line is not None else ""


def added_group(optimizer: str, model: str, names: Collection[str], others: Iterable[str]) -> str:
    """The line that gives `optimizer` the parameters `names` of `model`, among which there are `others`."""
    if not (optimizer and model and names):
        return ""
    owners = [name.split(".")[:-1] for name in names]
    common = next(iter(owners))
    for owner in owners:
        common = [
            part for part, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(common, owner, strict=False))
        ]
    inside = f"{'.'.join(common)}." if common else ""
    if not any(name.startswith(inside) for name in others):
        given = _attribute(model, common)
        given = given and f"{given}.parameters()"
    else:
        each = [_attribute(model, name.split(".")) for name in names]
        given = f"[{', '.join(each)}]" if all(each) and len(each) <= MOST_LISTED else ""
    return f"\n+ {optimizer}.add_param_group({{'params': {given}}})" if given else ""


def _attribute(model: str, parts: Sequence[str]) -> str:
    """How a program writes the path; "" where it needs `getattr`."""
    found = model
    for part in parts:
        if part.isascii() and part.isdecimal():
            found += f"[{part}]"
        elif part.isidentifier() and not keyword.iskeyword(part):
            found += f".{part}"
        else:
            return ""
    return found


class _Line:
    """A line that is one whole statement, and its syntax tree; positions count characters of `code`."""

    def __init__(self, code: str, statement: ast.stmt, columns: tuple[int, int] | None) -> None:
        self._bytes = code.encode()
        self.statement = statement
        self.code = code
        self.code = code[: self.span(statement)[1]]
        self.columns = columns

    @classmethod
    def of(cls, source: SourceLine | None) -> _Line | None:
        if source is None:
            return None
        try:
            body: Sequence[ast.stmt] = ast.parse(source.code).body
        except (SyntaxError, ValueError):  # a part of a statement, or a null byte
            return None
        text = next((text for number, text in source.context if number == source.line), source.code)
        indented = len(text) - len(text.lstrip())
        columns = (source.columns[0] - indented, source.columns[1] - indented) if source.columns else None
        return cls(source.code, body[0], columns) if len(body) == 1 else None

    def span(self, node: ast.AST) -> tuple[int, int]:
        start, end = getattr(node, "col_offset", 0), getattr(node, "end_col_offset", 0)
        return len(self._bytes[:start].decode()), len(self._bytes[:end].decode())

    def nodes(self, kind: type[Kind]) -> Iterator[Kind]:
        return (node for node in ast.walk(self.statement) if isinstance(node, kind))

    def meant(self) -> list[ast.expr]:
        """The expressions that the interpreter named; all of them where it named none."""
        found = list(self.nodes(ast.expr))
        return found if self.columns is None else [node for node in found if self.span(node) == self.columns]

    def with_piece(self, start: int, end: int, piece: str) -> str:
        return f"{self.code[:start]}{piece}{self.code[end:]}"

    def diff(self, repaired: str) -> str:
        return f"\n- {self.code}" + (f"\n+ {repaired}" if repaired else "")


def _last_name(function: ast.expr) -> str:
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )
