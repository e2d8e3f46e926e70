"""Whether what one statement computes may go into another one of the same function, by the names in its text."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.program.source import of_text
from fxaudit.program.tree import tree_of

__all__ = ["may_flow", "may_leave"]

INNER = ast.Lambda | ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp
Names = tuple[tuple[int, "int | None"], frozenset[str]]


def may_flow(file: str, line: int, later: int) -> bool:
    """Whether a value made in the statement at `line` may be read in the one at `later`; True where the text is not
    there. A test by it, and what is only printed, is no reading of it."""
    found = _carried(file, line)
    if found is None:
        return True
    own, names = found
    tree = tree_of(file)
    statement = tree.statement_at(later) if tree is not None else None
    return (
        statement is None or own == (statement.lineno, statement.end_lineno) or not names.isdisjoint(_read(statement))
    )


def may_leave(file: str, line: int) -> bool:
    """Whether a value made in the statement at `line` may be in what its function returns; True where the text is not
    there, or a line has several functions."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    if tree is None or statement is None:
        return True
    if isinstance(statement, ast.Return) or any(isinstance(node, INNER) for node in ast.walk(statement)):
        return True
    found = _carried(file, line)
    scope = tree.function(statement)
    returns = [node for node in ast.walk(scope) if isinstance(node, ast.Return | ast.Expr)] if scope is not None else []
    given = [node for node in returns if isinstance(node, ast.Return) or isinstance(node.value, ast.Yield)]
    return found is None or any(not found[1].isdisjoint(_read(node)) for node in given)


def _carried(file: str, line: int) -> Names | None:
    """(the lines of the statement at `line`, the names that something of its value may be bound to); None where the
    text is not there."""
    known = _known(file)
    if line not in known:
        known[line] = _names(file, line)
    return known[line]


@of_text
def _known(file: str) -> dict[int, Names | None]:
    """What was found of the lines of the file so far."""
    return {}


def _names(file: str, line: int) -> Names | None:
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    if tree is None or statement is None:
        return None
    names = set(_bound(statement))
    scope = tree.function(statement) or tree.root
    others = [node for node in ast.walk(scope) if isinstance(node, ast.stmt)]
    for _ in range(len(others)):
        more = {name for other in others if not names.isdisjoint(_read(other)) for name in _bound(other)} - names
        if not more:
            break
        names |= more
    return (statement.lineno, statement.end_lineno), frozenset(names)


def _bound(statement: ast.stmt) -> set[str]:
    """The last names of what a statement gives a value, or puts something into."""
    parts: list[ast.expr] = [node.target for node in _own_nodes(statement) if isinstance(node, ast.NamedExpr)]
    match statement:
        case ast.Assign(targets=targets):
            parts += targets
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target) | ast.For(target=target):
            parts.append(target)
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner))):
            parts.append(owner)  # `found.append(…)`
    return {_last(part) for outer in parts for part in _unpacked(outer)} - {""}


def _unpacked(target: ast.expr) -> list[ast.expr]:
    if isinstance(target, ast.Tuple | ast.List):
        return [part for inner in target.elts for part in _unpacked(inner)]
    return [target]


def _last(node: ast.expr) -> str:
    while isinstance(node, ast.Subscript | ast.Starred):
        node = node.value
    return str(getattr(node, "attr", getattr(node, "id", "")))


def _own_nodes(statement: ast.stmt) -> Iterator[ast.AST]:
    """What stands in a statement itself; of a compound one in its head."""
    match statement:
        case ast.If(test=head) | ast.While(test=head) | ast.For(iter=head):
            yield from ast.walk(head)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.With() | ast.Try():
            return
        case _:
            yield from ast.walk(statement)


def _read(statement: ast.stmt) -> set[str]:
    """The names in a statement's own text."""
    named = (part for part in _own_nodes(statement) if isinstance(part, ast.Name | ast.Attribute))
    return {str(getattr(part, "attr", getattr(part, "id", ""))) for part in named}
