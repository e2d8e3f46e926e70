"""A concrete syntax tree of a text, and the few questions that edits ask of it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, ParentNodeProvider, PositionProvider

__all__ = ["Edit", "Place", "Syntax", "dotted", "last_name", "of_text"]

Kind = TypeVar("Kind", bound=cst.CSTNode)

Replacement = cst.CSTNode | cst.RemovalSentinel

Header = cst.FunctionDef | cst.ClassDef | cst.If | cst.For | cst.While | cst.With | cst.Try
Statement = cst.SimpleStatementLine | Header


@dataclass(frozen=True)
class Place:
    """A line that is blamed, and the columns of the expression that is meant, where they are known."""

    line: int
    columns: tuple[int, int] | None = None


Edit = Callable[[str, Place], Iterator[str]]


class Syntax:
    """A parsed text. Its nodes are asked for by line; what is replaced gives a new text."""

    def __init__(self, text: str) -> None:
        wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
        self.module = wrapper.module
        self._ranges = wrapper.resolve(PositionProvider)
        self._parents = wrapper.resolve(ParentNodeProvider)

    def range(self, node: cst.CSTNode) -> CodeRange:
        """Where the node stands."""
        found = self._ranges[node]
        assert isinstance(found, CodeRange)
        return found

    def first(self, node: cst.CSTNode) -> int:
        """The line that the node begins on."""
        return self.range(node).start.line

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The node that it is a part of."""
        return self._parents.get(node)

    def above(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """What the node is a part of, innermost first."""
        above = self.parent(node)
        while above is not None:
            yield above
            above = self.parent(above)

    def all(self, kind: type[Kind]) -> list[Kind]:
        """Every node of a kind, in the order of the text."""
        found = [node for node in self._ranges if isinstance(node, kind)]
        return sorted(found, key=lambda node: (self.range(node).start.line, self.range(node).start.column))

    def statement(self, line: int) -> Statement | None:
        """The innermost statement on the line; of a compound one only the header counts."""
        best: Statement | None = None
        for node in self._ranges:
            if isinstance(node, cst.SimpleStatementLine):
                last = self.range(node).end.line
            elif isinstance(node, Header):
                last = max(self.first(node), self.range(node.body).start.line - 1)
            else:
                continue
            begun = min([self.first(node), *(self.first(d) for d in getattr(node, "decorators", ()))])
            if begun <= line <= last and (best is None or self.first(best) <= self.first(node)):
                best = node
        return best

    def inside(self, node: cst.CSTNode, kind: type[Kind]) -> list[Kind]:
        """The nodes of a kind that are parts of `node`, outermost first."""
        found: list[Kind] = []
        todo = [node]
        while todo:
            part = todo.pop(0)
            if isinstance(part, kind):
                found.append(part)
            todo.extend(part.children)
        return found

    def on_line(self, place: Place, kind: type[Kind]) -> list[Kind]:
        """The nodes of a kind in the statement at the place; of a compound statement only in its header.

        Those that the columns name come first.
        """
        statement = self.statement(place.line)
        if statement is None:
            return []
        if isinstance(statement, cst.SimpleStatementLine):
            found = self.inside(statement, kind)
        else:
            inner = set(map(id, self.inside(statement.body, cst.CSTNode)))
            found = [node for node in self.inside(statement, kind) if id(node) not in inner]
        return sorted(found, key=lambda node: not self._is_meant(node, place))

    def _is_meant(self, node: cst.CSTNode, place: Place) -> bool:
        where = self.range(node)
        return (
            place.columns is not None
            and where.start.line == where.end.line == place.line
            and (where.start.column, where.end.column) == place.columns
        )

    def is_meant(self, node: cst.CSTNode, place: Place) -> bool:
        """Whether the columns name the node, or name none."""
        return place.columns is None or self._is_meant(node, place)

    def function(self, node: cst.CSTNode) -> cst.FunctionDef | cst.Module:
        """The function that the node stands in, else the module."""
        return next((a for a in self.above(node) if isinstance(a, cst.FunctionDef)), self.module)

    def class_of(self, node: cst.CSTNode) -> cst.ClassDef | None:
        """The class that the node stands in."""
        return next((a for a in self.above(node) if isinstance(a, cst.ClassDef)), None)

    def body(self, node: cst.CSTNode) -> tuple[cst.CSTNode, Sequence[cst.BaseStatement]] | None:
        """The block that a statement stands in, and its statements."""
        block = self.parent(node)
        if isinstance(block, cst.IndentedBlock | cst.Module):
            return block, list(block.body)
        return None

    def code(self, node: cst.CSTNode) -> str:
        """The node's text."""
        return self.module.code_for_node(node)

    def replaced(self, *changes: tuple[cst.CSTNode, Replacement]) -> str:
        """The text with some nodes replaced, outermost last where they lie in each other."""
        visitor = _Replacing({id(old): new for old, new in changes})
        return self.module.visit(visitor).code

    def of_replaced(self, statement: Kind, *changes: tuple[cst.CSTNode, cst.CSTNode]) -> Kind:
        """A statement with some of its nodes replaced."""
        found = statement.visit(_Replacing({id(old): new for old, new in changes}))
        assert isinstance(found, type(statement))
        return found

    def with_block(self, block: cst.CSTNode, statements: Sequence[cst.BaseStatement]) -> str:
        """The text with other statements in a block."""
        kept = list(statements)
        if not kept:
            kept = [cst.parse_module("pass\n").body[0]]
        if block is self.module:
            return self.module.with_changes(body=kept).code
        return self.replaced((block, block.with_changes(body=kept)))

    def without(self, statement: cst.BaseStatement) -> str:
        """The text without a statement; a branch that has nothing else goes along."""
        found = self.body(statement)
        if found is None:
            return ""
        block, statements = found
        owner = self.parent(block)
        is_alone = len(statements) == 1 and owner is not None and self.body(owner) is not None
        if is_alone and (isinstance(owner, cst.With) or (isinstance(owner, cst.If) and owner.orelse is None)):
            return self.without(owner)
        position = next(i for i, s in enumerate(statements) if s is statement)
        kept = [s for s in statements if s is not statement]
        return self.with_block(block, _with_comments(statement, kept, position))

    def inserted(self, statement: cst.BaseStatement, code: str, *, before: bool = False) -> str:
        """The text with statements before or behind another."""
        found = self.body(statement)
        if found is None:
            return ""
        block, statements = found
        position = next(i for i, s in enumerate(statements) if s is statement) + (not before)
        return self.with_block(block, [*statements[:position], *parsed(code), *statements[position:]])


def parsed(code: str) -> list[cst.BaseStatement]:
    """Statements of a text."""
    return list(cst.parse_module(code if code.endswith("\n") else f"{code}\n").body)


def _with_comments(gone: cst.BaseStatement, kept: list[cst.BaseStatement], position: int) -> list[cst.BaseStatement]:
    """`kept` with the comments that stood above what is gone."""
    lines = [line for line in getattr(gone, "leading_lines", ()) if line.comment is not None]
    if lines and position < len(kept) and hasattr(kept[position], "leading_lines"):
        after = kept[position]
        kept[position] = after.with_changes(leading_lines=[*lines, *after.leading_lines])  # type: ignore[attr-defined]
    return kept


class _Replacing(cst.CSTTransformer):
    """Replaces nodes by identity."""

    def __init__(self, changes: dict[int, Replacement]) -> None:
        super().__init__()
        self._changes = changes

    def on_visit(self, node: cst.CSTNode) -> bool:
        return id(node) not in self._changes

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> Replacement:  # type: ignore[override]
        return self._changes.get(id(original_node), updated_node)


@functools.lru_cache(maxsize=16)
def of_text(text: str) -> Syntax | None:
    """The text's syntax; None where it has none."""
    try:
        return Syntax(text)
    except (cst.ParserSyntaxError, RecursionError, UnicodeError, ValueError):
        return None


def dotted(node: cst.CSTNode) -> str:
    """`torch.nn.Linear` of a name or attribute; "" of anything else."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        owner = dotted(node.value)
        return f"{owner}.{node.attr.value}" if owner else ""
    return ""


def last_name(node: cst.CSTNode) -> str:
    """`Linear` of `torch.nn.Linear`, `item` of `f(x).item`."""
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else ""
