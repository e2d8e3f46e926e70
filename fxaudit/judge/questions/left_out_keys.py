"""A value that is put away under a key that a filter by a text leaves out: `if "loss" in key`, and it is `box_l1`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fxaudit.capture import operations
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack, source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.birth import Birth
from fxaudit.program.births import Births
from fxaudit.program.course import Course, Sight
from fxaudit.program.evaluation import evaluated
from fxaudit.program.keys import only_key
from fxaudit.program.names import names_bound
from fxaudit.program.plain import readings
from fxaudit.program.source import SourceLine, of_text
from fxaudit.program.tree import assignments_behind, tree_of

__all__ = ["LeftOut", "left_out_key"]

BINDING = ast.Assign | ast.AugAssign | ast.AnnAssign


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A key that a filter does not take."""

    written: SourceLine
    """Where the key stands."""
    asked: SourceLine
    """Where the filter does."""
    role: str
    """What the filter does."""
    fix: str


def left_out_key(audit: Audit, states: list[ParameterState]) -> LeftOut | None:
    """The key under which a term of a loss is put away that the parameters have a part in, where a filter does not take
    it; None where no filter asks for a text in the keys, or takes none of them."""
    course, reaching = audit.record.course, _makers(audit, audit.graph.reaching)
    terms: set[int] | None = None
    for last in course.last_passes():
        file = course.file_of(last)
        for test, takes in _filters(file, last.line):
            keys = [(key, outcome is takes) for key, outcome in _keys_seen(audit, file, last.line, test)]
            taken = [key for key, is_taken in keys if is_taken and _is_named_so(test, key)]
            if not taken or not _is_for_the_loss(audit, reaching, file, last.line):
                continue
            if terms is None:
                terms = _terms(audit, states)
            for key in (key for key, is_taken in keys if not is_taken):
                place = only_key(course, key)
                named = _named_by(audit, terms, test, key, taken) if place is None else None
                if named is not None:
                    return LeftOut(named, source_at(file, last.line), *_left(test, taken[0], key))
                if place is not None and _puts_away(audit, terms, *place, key):
                    forgotten = _forgotten(audit, terms, test)
                    if forgotten is not None:
                        made, name = forgotten
                        role = f"`{ast.unparse(test)}` would take `{name}` here, as it takes `{taken[0]}`"
                        return LeftOut(made, source_at(file, last.line), role, f"Put `{name}` where the others are.")
                    return LeftOut(source_at(*place), source_at(file, last.line), *_left(test, taken[0], key))
    return None


def _left(test: ast.expr, taken: str, key: str) -> tuple[str, str]:
    """What the filter does, and what to do about it."""
    role = f"`{ast.unparse(test)}` picks here, `{taken}` for one, and leaves `{key}` out"
    return role, f"Name it as the test asks, like `{taken}`, or let the test take it."


def _named_by(audit: Audit, terms: set[int], test: ast.expr, key: str, taken: list[str]) -> SourceLine | None:
    """Where the text was set that the key is, or ends with, where one of the terms is put away under it by its
    variable: `{self.loss_name: …}`; None where there are several such texts or places.

    Where the same statement put away another term that is taken, that one has to be named as the test asks.
    """
    course = audit.record.course
    found: dict[tuple[str, int], SourceLine] = {}
    for sight in course.sights:
        file = course.file_of(sight)
        for node, value in _keys_by_variable(file, sight.line):
            text = evaluated(node, sight.read)
            if (
                not isinstance(text, str)
                or not _is_end_of(text, key)
                or not _ran_within_value(audit, terms, file, value)
            ):
                continue
            others = {str(evaluated(node, one.read)) for one in course.at(file, sight.line)} - {text}
            beside = [other for other in others if any(_is_end_of(other, one) for one in taken)]
            if beside and not any(_is_named_so(test, other) for other in beside):
                return None  # what comes before it makes the difference
            for birth in (_born(course, sight, part) for part in _variables(node)):
                if birth is not None and birth.is_a_setting and not _is_named_so(test, str(birth.value)):
                    found[birth.file, birth.line] = source_at(birth.file, birth.line)
    return next(iter(found.values())) if len(found) == 1 else None


def _born(course: Course, sight: Sight, part: ast.expr) -> Birth | None:
    text = evaluated(part, sight.read)
    return Births(course).back(sight, part, text, ()) if isinstance(text, str) else None


def _variables(key: ast.expr) -> Iterator[ast.expr]:
    """What a key is put together of, but for what is written down."""
    match key:
        case ast.JoinedStr(values=parts):
            yield from (part.value for part in parts if isinstance(part, ast.FormattedValue))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield from (part for side in (left, right) for part in _variables(side))
        case ast.Name() | ast.Attribute() | ast.Subscript():
            yield key


@of_text
def _by_variable(file: str) -> dict[int, list[tuple[ast.expr, ast.expr]]]:
    """Line of a statement → (key, value) of the entries that it writes under a key which is not written down."""
    tree = tree_of(file)
    found: dict[int, list[tuple[ast.expr, ast.expr]]] = {}
    for node in tree.nodes if tree is not None else ():
        pairs: list[tuple[ast.expr | None, ast.expr]] = []
        match node:
            case ast.Dict(keys=keys, values=values):
                pairs = [*zip(keys, values, strict=True)]
            case ast.Assign(targets=[ast.Subscript(slice=key)], value=value):
                pairs = [(key, value)]
        statement = tree.statement(node) if pairs and tree is not None else None
        if statement is not None:
            own = [(key, value) for key, value in pairs if key is not None and not isinstance(key, ast.Constant)]
            found.setdefault(statement.lineno, []).extend(own)
    return found


def _keys_by_variable(file: str, line: int) -> list[tuple[ast.expr, ast.expr]]:
    return _by_variable(file).get(line, [])


def _is_end_of(text: str, key: str) -> bool:
    """Whether the key is the text, or that with something before it: `aux.ce` ends with `ce`."""
    before = key.removesuffix(text)
    return bool(text) and (key == text or (before != key and before[-1] in "._/-:"))


def _ran_within_value(audit: Audit, terms: set[int], file: str, value: ast.expr) -> bool:
    """Whether one of the terms is computed by the expression, or by the statement that gives it its name."""
    methods = (node.attr for node in ast.walk(value) if isinstance(node, ast.Attribute))
    if any(operations.of(name).escapes or operations.of(name).detaches for name in methods):
        return False
    if isinstance(value, ast.Name):
        behind = (b for b in assignments_behind(file, value.lineno) if names_bound(b) == {value.id})
        statement = next(behind, None)
        return statement is not None and _ran_within(audit, terms, file, statement)
    return _ran_within(audit, terms, file, value)


def _forgotten(audit: Audit, terms: set[int], test: ast.expr) -> tuple[SourceLine, str] | None:
    """Where one of the terms is made that its function does not mention again, and its name, where the filter would
    take that."""
    stacks = audit.record.stacks
    for term in sorted(terms):
        frame = project_stack(stacks, audit.record.ops[term].stack)
        tree = tree_of(stacks.file(frame))
        statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
        function = tree.function(statement) if tree is not None and statement is not None else None
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)]) if function is not None and _is_named_so(test, name):
                if all(
                    not isinstance(n, ast.Name) or n.id != name or n in statement.targets for n in ast.walk(function)
                ):
                    return source_at(stacks.file(frame), statement.lineno), name
    return None


def _filters(file: str, line: int) -> Iterator[tuple[ast.expr, bool]]:
    """(the test, the outcome by which it takes something) of the comprehension or the `if` at the line, where it asks
    for a text."""
    looked_at = readings(file)
    found = [(test, True) for test in looked_at.tests_at(line)]
    statement = looked_at.statement(line)
    if isinstance(statement, ast.If) and not statement.orelse:
        if isinstance(statement.body[-1], ast.Continue):
            found.append((statement.test, False))
        elif any(isinstance(part, BINDING) for part in statement.body):
            found.append((statement.test, True))
    for test, takes in found:
        while isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            test, takes = test.operand, not takes
        if _asks_for_a_text(test):
            yield test, takes


def _asks_for_a_text(test: ast.expr) -> bool:
    match test:
        case ast.Compare(left=ast.Constant(value=str()), ops=[ast.In()], comparators=[ast.Name()]):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(), attr="startswith" | "endswith"), args=[ast.Constant()]):
            return True
    return False


def _is_named_so(test: ast.expr, key: str) -> bool:
    """Whether the text that is asked for is a word of the key: `loss` of `loss_cls`, and not `m` of `main`."""
    asked = next((n.value for n in ast.walk(test) if isinstance(n, ast.Constant) and isinstance(n.value, str)), "")
    return asked.strip("_./").lower() in re.split("[_./]+", key.lower())


def _keys_seen(audit: Audit, file: str, line: int, test: ast.expr) -> Iterator[tuple[str, bool]]:
    """(key, outcome of the test) of the passes of the line."""
    names = [node.id for node in ast.walk(test) if isinstance(node, ast.Name)]
    for sight in audit.record.course.at(file, line):
        seen = sight.read.get(names[0]) if names else None
        outcome = evaluated(test, sight.read)
        if seen is not None and isinstance(seen.value, str) and seen.is_plain and isinstance(outcome, bool):
            yield seen.value, outcome


def _makers(audit: Audit, values: Iterable[int]) -> set[int]:
    """The operations that made the values."""
    return {audit.record.values[vid].op for vid in values} - {-1}


def _terms(audit: Audit, states: list[ParameterState]) -> set[int]:
    """The operations that made single numbers which carry gradient back to the parameters."""
    carried = audit.graph.carried([state.index for state in states])
    return _makers(audit, (vid for vid in carried if audit.record.values[vid].numel == 1))


def _is_for_the_loss(audit: Audit, reaching: set[int], file: str, line: int) -> bool:
    """Whether the loss depends on what the filter's statement computes, or that hands on the values as they are."""
    element, statement = readings(file).inner_at(line), _statement(file, line)
    if statement is None or _ran_within(audit, reaching, file, statement):
        return statement is not None
    parts = statement.body if isinstance(statement, ast.If) else [element] if element is not None else []
    return bool(parts) and not any(isinstance(node, ast.Call) for part in parts for node in ast.walk(part))


def _puts_away(audit: Audit, terms: set[int], file: str, line: int, key: str) -> bool:
    """Whether one of the terms is computed in the statement around the line, or in the one that gives its value a name,
    and stands under the key as a tensor."""
    statement = _statement(file, line)
    if statement is None:
        return False
    own = [*_entries_under(statement, key)]
    own += [statement.value] if isinstance(statement, ast.Assign) and not own else []
    named = {value.id for value in own if isinstance(value, ast.Name)}
    bindings = [b for b in assignments_behind(file, statement.lineno) if len(names_bound(b) & named) == len(own) == 1]
    if not any(_ran_within(audit, terms, file, place) for place in (statement, *bindings[:1])):
        return False
    methods = (n.attr for value in own for n in ast.walk(value) if isinstance(n, ast.Attribute))
    last = (b.value.func.attr for b in bindings[:1] if _is_method_call(b))  # type: ignore[attr-defined]
    return not any(operations.of(name).escapes or operations.of(name).detaches for name in (*methods, *last))


def _entries_under(statement: ast.stmt, key: str) -> Iterator[ast.expr]:
    """What stands under the key in the displays of a statement, and in its calls of `dict(key=…)`."""
    for node in ast.walk(statement):
        match node:
            case ast.Dict(keys=keys, values=values):
                pairs = zip(keys, values, strict=True)
                yield from (value for name, value in pairs if isinstance(name, ast.Constant) and name.value == key)
            case ast.keyword(arg=name, value=value) if name == key:
                yield value


def _is_method_call(statement: ast.stmt) -> bool:
    match statement:
        case ast.Assign(value=ast.Call(func=ast.Attribute())):
            return True
    return False


def _ran_within(audit: Audit, ops: Iterable[int], file: str, statement: ast.stmt | ast.expr) -> bool:
    """Whether one of the operations ran in the lines of the statement, or in what it called."""
    stacks, last = audit.record.stacks, statement.end_lineno or statement.lineno
    return any(
        stacks.file(frame) == file and statement.lineno <= stacks.line(frame) <= last
        for op in ops
        for frame in stacks.chain(audit.record.ops[op].stack)
    )


def _statement(file: str, line: int) -> ast.stmt | None:
    tree = tree_of(file)
    return tree.statement_at(line) if tree is not None else None
