"""A test that never holds, because an array or a tensor is asked whether it is the object `True`: `mask[i] is True`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from fxaudit.answer.finding import Finding, Related
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.program.course import Course, Seen, Sight
from fxaudit.program.plain import chain_of, readings
from fxaudit.program.source import SourceLine, actual_path

__all__ = ["with_identity_test"]

UNUSED = ("FXA101", "FXA102", "FXA103")
"""The rules on what nothing uses: the test may have chosen something else."""
ARRAYS = frozenset({"ndarray", "bool_", "bool"})
"""The classes of numpy that hold truths, as the course of the program calls them."""


@dataclass(frozen=True, slots=True)
class _Test:
    """One that gave the same whenever it was asked."""

    file: str
    node: ast.Compare
    within: ast.AST
    """The `if`, or the choice `a if test else b`, that it decides."""

    @property
    def never(self) -> list[ast.AST]:
        """What it never lets run."""
        holds = isinstance(self.node.ops[0], ast.IsNot)
        left_out: list[ast.AST] | ast.AST = getattr(self.within, "orelse" if holds else "body")
        return left_out if isinstance(left_out, list) else [left_out]

    @property
    def sentence(self) -> str:
        """What is wrong with it."""
        asked, constant = ast.unparse(self.node.left), ast.unparse(self.node.comparators[0])
        return f"`{asked}` is an array or a tensor, and never the object `{constant}` itself"

    @property
    def advice(self) -> str:
        """What to write."""
        asked, constant = ast.unparse(self.node.left), self.node.comparators[0]
        is_not = isinstance(self.node.ops[0], ast.IsNot) is (getattr(constant, "value", True) is True)
        return f"Ask for the truth, and not for the object: `{'not ' if is_not else ''}bool({asked})`."


def with_identity_test(audit: Audit, finding: Finding) -> Finding:
    """The finding; with the line of the test that never holds, where that is why nothing uses what it is about."""
    line = finding.culprit
    if line is None or line.library or finding.level == "note" or finding.code not in UNUSED:
        return finding
    for test in _tests(audit.record.course):
        places = [line, *(related.source for related in finding.related)]
        if any(_stands_within(test, place) for place in places) or _chooses(test, finding.parameters):
            where = source_at(test.file, test.node.lineno)
            told = [Related(line, "this does without it"), *finding.related]
            related = tuple(one for one in told if one.source != where)[:3]
            return replace(finding, culprit=where, related=related, fix=test.advice, fact=test.sentence)
    return finding


def _tests(course: Course) -> Iterator[_Test]:
    for sight in course.last_passes():
        file = course.file_of(sight)
        for node in (part for top in readings(file).nodes_at(sight.line) for part in ast.walk(top)):
            match node:
                case ast.IfExp(test=ast.Compare() as test) if _asks(test) and _is_array(test.left, sight):
                    yield _Test(file, test, node)
        statement = readings(file).statement(sight.line)
        match statement:
            case ast.If(test=ast.Compare() as test) if _asks(test) and _is_array(test.left, sight):
                yield _Test(file, test, statement)


def _asks(test: ast.Compare) -> bool:
    match test:
        case ast.Compare(ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=bool())]):
            return True
    return False


def _is_array(node: ast.expr, sight: Sight) -> bool:
    """Whether it was seen to be a tensor, an array of numpy's, or what one of these gives."""
    match node:
        case ast.Subscript(value=owner) | ast.Call(func=ast.Attribute(value=owner, attr="all" | "any")):
            return _is_array(owner, sight)
    chain = chain_of(node)
    seen = sight.read.get(chain.text) if chain is not None else None
    return isinstance(seen, Seen) and (
        seen.kind == "tensor" or (seen.kind == "object" and str(seen.value).rpartition(".")[2] in ARRAYS)
    )


def _stands_within(test: _Test, line: SourceLine) -> bool:
    """Whether the line stands in what the test never lets run, or is the test's own."""
    if actual_path(line.file) != test.file and line.file != test.file:
        return False
    spans = ((getattr(n, "lineno", 0), getattr(n, "end_lineno", 0) or 0) for n in test.never)
    return line.line == test.node.lineno or any(first <= line.line <= last for first, last in spans)


def _chooses(test: _Test, names: tuple[str, ...]) -> bool:
    """Whether the test never chooses the key or the number that stands in the name of each of the parameters."""
    left_out = [str(node.value) for node in test.never if isinstance(node, ast.Constant)]
    return bool(names) and all(any(f".{key}." in f".{name}." for key in left_out) for name in names)
