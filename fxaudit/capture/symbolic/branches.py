"""Which way to go where a condition depends on a size that nobody knows.

The trace takes the branch that a working program would take: past `raise`, out of loops, and into the code that calls
modules. Each such guess is reported by its line.
"""

from __future__ import annotations

import ast
import builtins
from types import FrameType

from fxaudit.program.source import of_text, read_source

__all__ = ["assumed_truth", "body_at", "only_checks"]

_Condition = ast.If | ast.While | ast.Assert | ast.IfExp
_CHECKS = frozenset({"_assert", "_check", "check", "assert_"})


def assumed_truth(frame: FrameType) -> bool:
    """The truth to assume for a size condition that `frame` is evaluating."""
    line = frame.f_lineno
    inside = [node for node in _conditions(frame.f_code.co_filename) if _spans(node, line)]
    if not inside:
        return False
    node = max(inside, key=lambda found: _tested(found).lineno)
    wanted = _wanted(node)
    return wanted != _negated(_tested(node), line)


def body_at(file: str, line: int) -> tuple[int, int] | None:
    """The first and the last line of what the `if` whose condition stands at `line` decides about.

    None where there is none, or where it only refuses what is wrong.
    """
    inside = [node for node in _conditions(file) if isinstance(node, ast.If) and _spans(node, line)]
    if not inside:
        return None
    node = max(inside, key=lambda found: _tested(found).lineno)
    if not node.orelse and all(isinstance(step, ast.Raise) for step in node.body):
        return None
    return node.body[0].lineno, node.end_lineno or node.lineno


def only_checks(frame: FrameType) -> bool:
    """Whether the condition that `frame` is evaluating only refuses what is wrong: a program that works passes it."""
    inside = [node for node in _conditions(frame.f_code.co_filename) if _spans(node, frame.f_lineno)]
    if not inside:
        return False
    match max(inside, key=lambda found: _tested(found).lineno):
        case ast.Assert() | ast.Call():
            return True
        case ast.If(body=body, orelse=[]):
            return all(isinstance(step, ast.Raise) for step in body)
    return False


def _negated(test: ast.expr, line: int) -> bool:
    """Whether the comparison that stands on `line` in `test` counts the other way round, behind a `not`."""
    leaves: list[tuple[ast.expr, bool]] = []
    stack = [(test, False)]
    while stack:
        node, negated = stack.pop()
        match node:
            case ast.UnaryOp(op=ast.Not()):
                stack.append((node.operand, not negated))
            case ast.BoolOp():
                stack.extend((value, negated) for value in reversed(node.values))
            case ast.Compare():
                leaves.insert(0, (node, negated != any(isinstance(op, ast.NotIn) for op in node.ops)))
            case _:
                leaves.append((node, negated))
    here = [negated for node, negated in leaves if node.lineno <= line <= (node.end_lineno or node.lineno)]
    return here[0] if here else False


def _tested(node: _Condition | ast.Call) -> ast.expr:
    return node.args[0] if isinstance(node, ast.Call) else node.test


def _wanted(node: _Condition | ast.Call) -> bool:
    match node:
        case ast.Assert() | ast.Call():
            return True
        case ast.If():
            if any(isinstance(step, ast.Raise) for step in node.body):
                return False
            if any(isinstance(step, ast.Raise | ast.Continue) for step in node.orelse):
                return True
            if any(isinstance(step, ast.Break) for step in node.body):
                return True
            return _module_calls(node.body) > _module_calls(node.orelse)
        case _:
            return False


def _spans(node: _Condition | ast.Call, line: int) -> bool:
    test = _tested(node)
    return test.lineno <= line <= (test.end_lineno or test.lineno)


def _is_check(node: ast.AST) -> bool:
    """Whether `node` is a call such as `torch._assert(condition, message)`."""
    if not isinstance(node, ast.Call) or not node.args:
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in _CHECKS


def _module_calls(body: list[ast.stmt]) -> int:
    """How many calls in `body` may be calls of modules: `self.….name(…)`, `layer(…)`, `layers[0](…)`."""
    count = 0
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Call):
                called: ast.expr = node.func
                while isinstance(called, ast.Attribute | ast.Subscript):
                    called = called.value
                if isinstance(called, ast.Name):
                    plain = called is node.func and not hasattr(builtins, called.id)
                    count += plain or (called is not node.func and called.id == "self")
    return count


@of_text
def _conditions(file: str) -> tuple[_Condition | ast.Call, ...]:
    try:
        tree = ast.parse("\n".join(read_source(file)))
    except (SyntaxError, ValueError, RecursionError):
        return ()
    return tuple(
        node
        for node in ast.walk(tree)
        if isinstance(node, _Condition) or (isinstance(node, ast.Call) and _is_check(node))
    )
