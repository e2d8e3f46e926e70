"""A value that is read only where nothing ran: what keeps the reading from running is to blame."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from fxaudit.judge.questions.limits_off import unlimited
from fxaudit.judge.questions.never_set import never_set
from fxaudit.judge.questions.passed_down import not_passed_down
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import behind_test, blamed, decision_at, overridden, source_at, was_entered
from fxaudit.program.births import Births
from fxaudit.program.deciders import decider_at
from fxaudit.program.handing import collection_at, passing
from fxaudit.program.names import names_bound, names_read, statements_after
from fxaudit.program.plain import chain_of
from fxaudit.program.source import SourceLine, is_library
from fxaudit.program.tree import Obstacle, Tree, assignments_behind, binding_of, obstacles, tree_of

__all__ = [
    "Entry",
    "Lines",
    "entries_of",
    "read_only_in_an_overridden_method",
    "read_only_where_a_callee_came_not",
    "read_only_where_nothing_ran",
]

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


def read_only_where_a_callee_came_not(audit: Audit, stack: int) -> Lines:
    """The same where what is bound in the frame `stack` is handed to a function of the program, which reads that
    argument only in statements that never ran."""
    stacks, course = audit.record.stacks, audit.record.course
    file, line = stacks.file(stack), stacks.line(stack)
    names = binding_of(file, line).names
    for at, position, keyword in passing(file, line, names):
        for sight in course.at(file, at)[-1:]:
            for entered in (course.frames[frame] for frame in course.calls_in(sight)):
                tree = tree_of(entered.file)
                function = tree.statement_at(entered.first_line) if tree is not None else None
                name = keyword or _argument(function, position)
                found = _never_read(audit, tree, function, name) if tree is not None and name else []
                if found:
                    return [*found, (source_at(file, at), f"handed on here, as `{name}`")]
    return []


def _argument(function: ast.stmt | None, position: int) -> str:
    """The name of the argument at a position, where that is given by position."""
    if not isinstance(function, ast.FunctionDef) or position < 0:
        return ""
    given = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    given = given[1:] if given[:1] in (["self"], ["cls"]) else given
    return given[position] if position < len(given) else ""


def _never_read(audit: Audit, tree: Tree, function: ast.stmt | None, name: str) -> Lines:
    if not isinstance(function, ast.FunctionDef):
        return []
    ran = audit.record.ran().of(tree.file)
    every = function.args
    if name not in {one.arg for one in (*every.posonlyargs, *every.args, *every.kwonlyargs)}:
        return []
    reading = [other for other in _after(tree, function.body[0], itself=True) if name in names_read(other)]
    is_idle = bool(reading) and all(other.lineno not in ran for other in reading)
    return _why(audit, tree, reading[0], name) if is_idle else []


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


def _after(tree: Tree, statement: ast.stmt, *, itself: bool = False) -> list[ast.stmt]:
    """The statements of the function behind it, and the tests of its branches; with `itself`, from it on."""
    scope = tree.function(statement) or tree.root
    own = [statement] if itself else []
    tests: list[ast.stmt] = [
        ast.copy_location(ast.Expr(node.test), node)
        for node in ast.walk(scope)
        if isinstance(node, ast.If | ast.While) and node.lineno > statement.lineno - itself
    ]
    return [*own, *tests, *statements_after(tree, statement)]


def _why(audit: Audit, tree: Tree, reading: ast.stmt, name: str) -> Lines:
    ran = audit.record.ran().of(tree.file)
    found = obstacles(tree, reading, ran)
    if not found:
        return []
    told = [(source_at(o.file, o.line), o.role) for o in found[:1]]
    told.append((source_at(tree.file, reading.lineno), f"`{name}` is read here, and this never runs"))
    without = unlimited(tree, found[0], name, ran)
    if without is not None:
        line, target = without
        return [(source_at(tree.file, line), f"without a limit `{target}` is something else than `{name}`"), *told]
    decision = decision_at(audit.record, found[0])
    if decision is not None:
        why = never_set(audit.record, decision) or not_passed_down(audit, decision)
        return [*why, *blamed(decision, told)]
    if not ran.is_whole:
        return []  # the line may have run unheard
    compared = _compared_with_a_setting(audit, found[0])
    if compared:
        return [*compared[:1], *told, *compared[1:]]
    return [*told, *behind_test(audit.record, audit.project_files, found[0])]


def _compared_with_a_setting(audit: Audit, obstacle: Obstacle) -> Lines:
    """Where the number was set with which that was compared by which a test decided, against all that came by."""
    births = Births(audit.record.course)
    for line, compared in _comparisons(obstacle):
        for side in (compared.comparators[0], compared.left):
            for number in births.numbers(obstacle.file, line, side):
                birth = births.of(obstacle.file, line, side, number)
                if birth is not None and birth.is_a_setting:
                    what = (
                        f"`{ast.unparse(compared)}` holds for nothing: `{ast.unparse(side)}` is {number:g}, from here"
                    )
                    place = source_at(obstacle.file, line)
                    return [(source_at(birth.file, birth.line), what), (place, "compared here")]
    return []


def _comparisons(obstacle: Obstacle) -> Iterator[tuple[int, ast.Compare]]:
    """(line of the statement, comparison) of those in the test, and of those that gave a name in it its value."""
    found = decider_at(obstacle.file, obstacle.line)
    if found is None:
        return
    names = {node.id for node in ast.walk(found[1]) if isinstance(node, ast.Name)}
    made = [one for one in assignments_behind(obstacle.file, obstacle.line) if names_bound(one) & names]
    for line, part in ((obstacle.line, found[1]), *((one.lineno, one) for one in made[:1])):
        for node in ast.walk(part):
            if isinstance(node, ast.Compare) and len(node.comparators) == 1:
                yield line, node
