"""Where the targets come from that a loss leaves out, where it leaves out all of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack
from fxaudit.program.birth import Birth
from fxaudit.program.births import Births
from fxaudit.program.course import Sight
from fxaudit.program.evaluation import evaluated
from fxaudit.program.lookups import Lookup, Lookups
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Tree, tree_of

__all__ = ["DEFAULT_IGNORED", "ignored_instead", "ignored_labels", "ignored_written", "target_cut_off"]

DEFAULT_IGNORED = -100
"""The label that torch's losses leave out where they are not told another."""


def ignored_instead(audit: Audit, index: int) -> Lookup | None:
    """The lookup that found nothing, so that the label which the loss leaves out was taken."""
    wanted = ignored_labels(audit, index)
    return next((one for one in Lookups(audit.record.course).all if one.number_taken in wanted), None)


def ignored_written(audit: Audit, index: int) -> SourceLine | None:
    """The line outside every module that wrote the label which the loss leaves out, where there is only one."""
    record = audit.record
    if index < 0:
        return None
    wanted = ignored_labels(audit, index)
    queue = [vid for vid in record.ops[index].inputs if not record.values[vid].floating]
    seen: set[int] = set()
    writers: dict[int, None] = {}
    while queue:
        vid = queue.pop(0)
        made = record.values[vid].op
        if vid in seen or made < 0:
            continue
        seen.add(vid)
        op = record.ops[made]
        if op.module < 0 and wanted & set(op.numbers):
            writers.setdefault(project_stack(record.stacks, op.stack))
        queue.extend(source for source in op.inputs if not record.values[source].floating)
    return audit.source(next(iter(writers))) if len(writers) == 1 else None


def target_cut_off(audit: Audit, index: int) -> tuple[Birth, str, int] | None:
    """What says how much is kept of a list that begins with targets to be left out, and (file, line) of the cut.

    The rest counts, and is cut off.
    """
    course = audit.record.course
    wanted = ignored_labels(audit, index)
    for tree in (found for found in map(tree_of, course.files()) if found is not None):
        for node, name, upper in _cuts(tree):
            statement = tree.statement(node)
            sights = course.at(tree.file, statement.lineno) if statement is not None else []
            if not sights or not _is_filled(audit, tree, node, name, wanted):
                continue
            value = evaluated(upper, sights[-1].read)
            lists = [sight.read[name] for sight in sights if name in sight.read]
            longer = any(isinstance(value, int) and isinstance(s.value, int) and s.value > value for s in lists)
            if not isinstance(value, int) or statement is None or not longer:
                continue
            birth = Births(course).of(tree.file, statement.lineno, upper, value)
            if birth is not None and birth.is_a_setting:
                return birth, tree.file, node.lineno
    return None


def ignored_labels(audit: Audit, index: int) -> set[int | float]:
    """The labels that the operation may leave out."""
    numbers = audit.record.ops[index].numbers if index >= 0 else ()
    return {number for number in numbers if number not in (0, 1)} | {DEFAULT_IGNORED}


def _cuts(tree: Tree) -> Iterator[tuple[ast.Subscript, str, ast.expr]]:
    """(cut, name, bound) for each `labels[:bound]` with a bound that has a name."""
    for node in tree.parents:
        match node:
            case ast.Subscript(
                value=ast.Name(id=name), slice=ast.Slice(lower=None, upper=ast.Name() | ast.Attribute() as upper)
            ) if isinstance(node.ctx, ast.Load):
                yield node, name, upper


def _is_filled(audit: Audit, tree: Tree, node: ast.AST, name: str, wanted: set[int | float]) -> bool:
    """Whether the function around the cut makes the list of such labels: `[IGNORED] * len(prompt) + answer`."""
    for made, value in _made(tree.function(node) or tree.root, name):
        sights: list[Sight] = audit.record.course.at(tree.file, made.lineno)
        read = sights[-1].read if sights else {}
        parts = (part for part in ast.walk(value) if isinstance(part, ast.expr))
        if any(_is_one(evaluated(part, read), wanted) for part in parts):
            return True
    return False


def _made(scope: ast.AST, name: str) -> Iterator[tuple[ast.stmt, ast.expr]]:
    """(statement, value) of what the variable is given in the function."""
    for statement in ast.walk(scope):
        match statement:
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
                pairs = list(zip(targets, values, strict=False))
            case ast.Assign(targets=[target], value=value):
                pairs = [(target, value)]
            case _:
                continue
        yield from ((statement, value) for target, value in pairs if isinstance(target, ast.Name) and target.id == name)


def _is_one(value: object, wanted: set[int | float]) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value in wanted
