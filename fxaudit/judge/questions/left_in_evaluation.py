"""A module that is trained in evaluation mode, where a test of `self.training` leads to what ends its gradient."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from fxaudit.answer.finding import Finding
from fxaudit.capture.recording import ModuleCall
from fxaudit.judge.rule import Audit, related_lines
from fxaudit.judge.trail import project_stack, source_at
from fxaudit.program.source import SourceLine, actual_path
from fxaudit.program.tree import Tree, tests_leading_to, tree_of

__all__ = ["BACK_TO_TRAINING", "with_line_that_left_evaluation"]

BACK_TO_TRAINING = "Call `model.train()` after this `eval()`, before training goes on: nothing does."
ENDS = ("FXA104", "FXA105", "FXA106", "FXA107", "FXA108", "FXA501")
"""The rules whose culprit ends gradient where it stands."""


def with_line_that_left_evaluation(audit: Audit, finding: Finding) -> Finding:
    """The finding; where its line runs because its module is not in training mode, with the line that put it in
    evaluation mode."""
    line = finding.culprit
    if finding.code not in ENDS or finding.level == "note" or line is None or line.library:
        return finding
    tree = tree_of(actual_path(line.file))
    statement = tree.statement_at(line.line) if tree is not None else None
    if tree is None or statement is None:
        return finding
    test = next((at for at, node, outcome in _tests(tree, statement, line.line) if _asks_mode(node, outcome)), None)
    left = _left(audit, tree.file, line.line) if test is not None else None
    if test is None or left is None:
        return finding
    related: list[tuple[SourceLine | None, str]] = [(line, "gradient ends here")]
    related += [(source_at(tree.file, test), "asked here")] if test != line.line else []
    related += ((one.source, one.role) for one in finding.related)
    return replace(
        finding,
        culprit=left,
        related=related_lines(left, related),
        fix=BACK_TO_TRAINING,
        message=f"{finding.message}; it runs so because training goes on in evaluation mode",
    )


def _tests(tree: Tree, statement: ast.stmt, line: int) -> Iterator[tuple[int, ast.expr, bool]]:
    """(line, test, what it gives where the line is come to) of the branches that lead to it in its own function."""
    for node in ast.walk(statement):
        if isinstance(node, ast.IfExp):
            for branch, outcome in ((node.body, True), (node.orelse, False)):
                if branch.lineno <= line <= (branch.end_lineno or line):
                    yield node.lineno, node.test, outcome
    yield from tests_leading_to(tree, statement)


def _asks_mode(test: ast.expr, outcome: bool) -> bool:
    """Whether the test gives that because the module is not in training mode."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _asks_mode(operand, not outcome)
        case ast.Attribute(value=ast.Name(id="self"), attr="training"):
            return not outcome
        case ast.BoolOp(op=ast.And(), values=values):
            return outcome and any(_asks_mode(value, outcome) for value in values)
    return False


def _left(audit: Audit, file: str, line: int) -> SourceLine | None:
    """The line that put the module in which the line ran, with gradients on, in evaluation mode."""
    stacks, record = audit.record.stacks, audit.record
    for op in audit.graph.ops:
        frame = project_stack(stacks, op.stack)
        if op.module >= 0 and op.grad_enabled and (stacks.file(frame), stacks.line(frame)) == (file, line):
            return _switched(audit, record.calls[op.module])
    return None


def _switched(audit: Audit, call: ModuleCall) -> SourceLine | None:
    modes = [mode for mode in audit.recording.modules[call.module].modes if mode[0] <= call.time]
    if call.training or not modes or modes[-1][1]:
        return None
    line = audit.source(project_stack(audit.record.stacks, modes[-1][2]))
    return line if line is not None and not line.library else None
