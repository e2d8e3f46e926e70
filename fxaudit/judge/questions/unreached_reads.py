"""A value that is read only where nothing ran: what keeps the reading from running is to blame."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from fxaudit.judge.questions.never_set import never_set
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import behind_test, blamed, decision_at, overridden, source_at, was_entered
from fxaudit.program.handing import collection_at
from fxaudit.program.names import names_read, statements_after
from fxaudit.program.plain import chain_of
from fxaudit.program.source import SourceLine, is_library
from fxaudit.program.tree import Tree, binding_of, obstacles, tree_of

__all__ = ["Entry", "Lines", "entries_of", "read_only_in_an_overridden_method", "read_only_where_nothing_ran"]

Lines = list[tuple[SourceLine, str]]


def read_only_where_nothing_ran(audit: Audit, stack: int) -> Lines:
    """Why no statement ran that reads what is bound in the frame `stack`, the line to edit first; none where one did,
    or nothing reads it at all."""
    stacks = audit.record.stacks
    file, line = stacks.file(stack), stacks.line(stack)
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    ran = audit.record.ran().of(file)
    if tree is None or statement is None:
        return []
    for name in binding_of(file, line).names:
        reading = [other for other in _after(tree, statement) if name in names_read(other)]
        if reading and all(other.lineno not in ran for other in reading):
            found = _why(audit, tree, reading[0], name)
            if found:
                return found
    return []


def read_only_in_an_overridden_method(audit: Audit, made: int, stack: int) -> Lines:
    """The same for what is made in the frame `made`, and put under a key into what is bound in the frame `stack`, where
    a method reads that key whose place another one takes."""
    return next(filter(None, (_in_an_overridden_method(audit, key) for key in entries_of(audit, made, stack))), [])


@dataclass(frozen=True, slots=True)
class Entry:
    """A key under which something is put into a dictionary, and where such an entry is read."""

    key: str
    readings: list[tuple[Tree, ast.expr]]


def entries_of(audit: Audit, made: int, stack: int) -> Iterator[Entry]:
    """The keys under which that is put which is made in the frame `made` and bound in the frame `stack`."""
    stacks = audit.record.stacks
    below = stacks.chain(made)
    frames = below[: below.index(stack) + 1 if stack in below else 0]
    files = [file for file in audit.project_files if not is_library(file)]
    for key in dict.fromkeys(key for i in frames for key in _keys_at(stacks.file(i), stacks.line(i))):
        found = [(other, node) for other in map(tree_of, files) if other is not None for node in _readings(other, key)]
        yield Entry(key, [(other, node) for other, node in found if not _is_of_another_kind(audit, other, node)])


def _in_an_overridden_method(audit: Audit, entry: Entry) -> Lines:
    """The same for one key."""
    ran, key = audit.record.ran(), entry.key
    files = [file for file in audit.project_files if not is_library(file)]
    scopes = [(other, node, other.function(node)) for other, node in entry.readings]
    if any(scope is None or was_entered(other, scope, ran) for other, _, scope in scopes):
        return []
    for other, node, scope in scopes:
        found = overridden(files, other, scope, ran) if scope is not None else []
        if found:
            return [*found, (source_at(other.file, node.lineno), f"`{key}` is read here, and this never runs")]
    return []


def _keys_at(file: str, line: int) -> Iterator[str]:
    """The keys under which what is computed at the line may be put into a dictionary, at once or by its name."""
    tree = tree_of(file) if not is_library(file) else None
    statement = tree.statement_at(line) if tree is not None else None
    if tree is not None and statement is not None:
        names = binding_of(file, line).names or (collection_at(file, line),)
        for later in statements_after(tree, statement):
            yield from (key for name in names for key in _keys_of(later, name))
    match statement:
        case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=str(key)))]):
            yield key
            return
    for node in ast.walk(statement) if statement is not None else ():
        match node:
            case ast.Dict(keys=keys, values=values):
                for name, value in zip(keys, values, strict=True):
                    if isinstance(name, ast.Constant) and value.lineno <= line <= (value.end_lineno or value.lineno):
                        yield str(name.value)
            case ast.keyword(arg=str(name), value=value) if value.lineno <= line <= (value.end_lineno or value.lineno):
                yield name


def _keys_of(statement: ast.stmt, name: str) -> Iterator[str]:
    """The keys under which the statement puts the variable of that name."""
    for node in ast.walk(statement):
        match node:
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(value, ast.Name) and value.id == name:
                        yield str(key.value)
            case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=str(key)))], value=ast.Name(id=put)):
                if put == name:
                    yield key
            case ast.keyword(arg=str(key), value=ast.Name(id=put)) if put == name:
                yield key


def _readings(tree: Tree, key: str) -> list[ast.expr]:
    """Where an entry of that name is read: `out["key"]`, `out.get("key")`, `out.pop("key")`, `out.key`."""
    found: list[ast.expr] = []
    for node in tree.nodes:
        match node:
            case ast.Subscript(slice=ast.Constant(value=str(name)), ctx=ast.Load()) if name == key:
                found.append(node)
            case ast.Call(func=ast.Attribute(attr="get" | "pop"), args=[ast.Constant(value=str(name)), *_]) if (
                name == key
            ):
                found.append(node)
            case ast.Attribute(value=owner, attr=name, ctx=ast.Load()) if name == key:
                if not (isinstance(owner, ast.Name) and owner.id == "self"):  # a module may bear the name, too
                    found.append(node)
    return found


def _is_of_another_kind(audit: Audit, tree: Tree, node: ast.expr) -> bool:
    """Whether what is read from was seen to be no dictionary: a container of layers has keys, too."""
    if isinstance(node, ast.Attribute):
        return False
    owner = node.func if isinstance(node, ast.Call) else node
    chain = chain_of(owner.value) if isinstance(owner, ast.Attribute | ast.Subscript) else None
    statement = tree.statement(node)
    sights = audit.record.course.at(tree.file, statement.lineno) if statement is not None else []
    seen = [sight.read[chain.text] for sight in sights if chain is not None and chain.text in sight.read]
    return bool(seen) and all(one.kind == "object" for one in seen)


def _after(tree: Tree, statement: ast.stmt) -> list[ast.stmt]:
    """The statements of the function behind it, and the tests of its branches."""
    scope = tree.function(statement) or tree.root
    tests: list[ast.stmt] = [
        ast.copy_location(ast.Expr(node.test), node)
        for node in ast.walk(scope)
        if isinstance(node, ast.If | ast.While) and node.lineno > statement.lineno
    ]
    return [*tests, *statements_after(tree, statement)]


def _why(audit: Audit, tree: Tree, reading: ast.stmt, name: str) -> Lines:
    ran = audit.record.ran().of(tree.file)
    found = obstacles(tree, reading, ran)
    if not found:
        return []
    told = [(source_at(o.file, o.line), o.role) for o in found[:1]]
    told.append((source_at(tree.file, reading.lineno), f"`{name}` is read here, and this never runs"))
    decision = decision_at(audit.record, found[0])
    if decision is not None:
        return [*never_set(audit.record, decision), *blamed(decision, told)]
    if not ran.is_whole:
        return []  # the line may have run unheard
    return [*told, *behind_test(audit.record, audit.project_files, found[0])]
