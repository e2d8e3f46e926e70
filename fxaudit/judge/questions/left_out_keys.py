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
from fxaudit.program.evaluation import evaluated
from fxaudit.program.keys import only_key
from fxaudit.program.names import names_bound
from fxaudit.program.plain import readings
from fxaudit.program.source import SourceLine
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
                if place is not None and _puts_away(audit, terms, *place, key):
                    forgotten = _forgotten(audit, terms, test)
                    if forgotten is not None:
                        made, name = forgotten
                        role = f"`{ast.unparse(test)}` would take `{name}` here, as it takes `{taken[0]}`"
                        return LeftOut(made, source_at(file, last.line), role, f"Put `{name}` where the others are.")
                    role = f"`{ast.unparse(test)}` picks here, `{taken[0]}` for one, and leaves `{key}` out"
                    fix = f"Name it as the test asks, like `{taken[0]}`, or let the test take it."
                    return LeftOut(source_at(*place), source_at(file, last.line), role, fix)
    return None


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


def _ran_within(audit: Audit, ops: Iterable[int], file: str, statement: ast.stmt) -> bool:
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
