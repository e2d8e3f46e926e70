"""What keeps a `backward` from giving the gradient of an argument: a branch, or an expression that may be None."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from fxaudit.capture.recording import Op
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack, source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.source import SourceLine, actual_path
from fxaudit.program.tree import Tree, branches_around, obstacles, tree_of

__all__ = ["withheld"]

ASK = "Ask for `needs_input_grad[{}]` here, which is of this argument: `[{}]` is of another one."
NO_TENSOR = frozenset({"plain", "list", "dict", "file", "pattern", "callable", "module", "object"})
"""What an argument is seen to be that has no gradient."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """The line that decides that there is no gradient."""

    line: SourceLine
    advice: str | None
    """What to do, where the place of another argument is asked for; else None."""


def withheld(audit: Audit, op: Op, states: list[ParameterState], returned: SourceLine) -> Withheld | None:
    """What keeps `backward` from computing the gradient of the argument of `op` that the parameters lead to, or puts
    None in its place, where the statement that returns it gives it a name, or has the choice in itself."""
    tree = tree_of(actual_path(returned.file))
    statement = tree.statement_at(returned.line) if tree is not None else None
    scope = tree.function(statement) if tree is not None and statement is not None else None
    if tree is None or scope is None or not isinstance(statement, ast.Return):
        return None
    position, is_certain = _position(audit, op, states, statement)
    ran = audit.record.ran().of(tree.file)
    for node, value in _given(scope, statement, position):
        if _is_none(value):
            lines = branches_around(tree, node) if node.lineno in ran else []
        else:
            # The line may have run for another call of the same function; here it gave nothing.
            lines = [o.line for o in obstacles(tree, node, ran)] if node is not statement else []
            lines = lines or ([value.lineno] if is_certain and _is_none_by_choice(value) else [])
            lines = lines or branches_around(tree, node)
        if lines:
            asked = _asks_for_another(tree, lines[0], position) if is_certain else None
            return Withheld(
                source_at(tree.file, lines[0], returned.function),
                ASK.format(position, asked) if asked is not None else None,
            )
    return None


def _given(scope: ast.AST, returned: ast.Return, position: int) -> Iterator[tuple[ast.stmt, ast.expr]]:
    """(statement, value) of what is returned at the position: of each assignment to its name, or to its place in a list
    that is returned as a whole; or of the `return` itself, where the choice stands in it."""
    name = kept = ""
    parts = _returned(returned)
    match parts:
        case [ast.Starred(value=ast.Name(id=kept))]:
            pass
        case [ast.Call(func=ast.Name(id="tuple"), args=[ast.Name(id=kept)])]:
            pass
        case _ if 0 <= position < len(parts):
            element = parts[position]
            if _is_none_by_choice(element):
                yield returned, element
            name = element.id if isinstance(element, ast.Name) else ""
    for node in ast.walk(scope):
        target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
        target = node.target if isinstance(node, ast.AnnAssign) else target
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if not isinstance(node, ast.stmt) or value is None:
            continue
        match target:
            case ast.Name(id=bound) if bound == name != "":
                yield node, value
            case ast.Subscript(value=ast.Name(id=bound), slice=ast.Constant(value=int(place))) if (
                bound == kept != "" and place == position
            ):
                yield node, value
            case ast.Tuple(elts=targets) if name:
                names = [getattr(part, "id", "") for part in targets]
                part = _part(value, names.index(name), len(names)) if name in names else None
                if part is not None:
                    yield node, part


def _returned(statement: ast.Return) -> list[ast.expr]:
    """What a `return` gives, one for each argument."""
    if isinstance(statement.value, ast.Tuple):
        return statement.value.elts
    return [statement.value] if statement.value is not None else []


def _part(value: ast.expr, position: int, count: int) -> ast.expr | None:
    """What a statement that assigns to several names at once gives the one at the position."""
    match value:
        case ast.Tuple(elts=parts) if len(parts) == count:
            return parts[position]
        case ast.IfExp(body=body, orelse=other):
            first, second = _part(body, position, count), _part(other, position, count)
            if first is not None and second is not None:
                return ast.copy_location(ast.IfExp(value.test, first, second), value)
    return None


def _is_none_by_choice(value: ast.expr) -> bool:
    return isinstance(value, ast.IfExp) and _is_none(value.body) != _is_none(value.orelse)


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _asks_for_another(tree: Tree, line: int, position: int) -> int | None:
    """The argument whose gradient the test at the line asks about, where it is one, and another than that at the
    position."""
    statement = tree.statement_at(line)
    asked = {
        place
        for node in (ast.walk(statement.test if isinstance(statement, ast.If) else statement) if statement else ())
        if isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "needs_input_grad"
        and isinstance(place := getattr(node.slice, "value", None), int)
    }
    return asked.pop() if len(asked) == 1 and position not in asked else None


def _position(audit: Audit, op: Op, states: list[ParameterState], returned: ast.Return) -> tuple[int, bool]:
    """(which of the function's arguments depends on the parameters; -1 where none does, whether that is certain: not
    all of them need be tensors)."""
    carried = audit.graph.carried([state.index for state in states])
    tensors = op.inputs[: len(op.inputs) - len(op.hidden)]
    own = next((number for number, vid in enumerate(tensors) if vid in carried), -1)
    parts = _returned(returned)
    is_whole = isinstance(returned.value, ast.Call) or any(isinstance(part, ast.Starred) for part in parts)
    count = 0 if is_whole else len(parts)
    if count == len(tensors):
        return own, True
    places = _tensors_given(audit, op, count)
    return (places[own], True) if own >= 0 and len(places) == len(tensors) else (own, False)


def _tensors_given(audit: Audit, op: Op, count: int) -> list[int]:
    """The places of the arguments that may be tensors, of the one call that applies the function in its statement: it
    says `apply`, or has so many arguments."""
    stacks = audit.record.stacks
    frame = project_stack(stacks, op.stack)
    tree = tree_of(stacks.file(frame)) if frame >= 0 else None
    statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
    calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call)] if statement is not None else []
    applied = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "apply"]
    calls = applied or [call for call in calls if len(call.args) == count]
    if tree is None or statement is None or len(calls) != 1 or any(isinstance(a, ast.Starred) for a in calls[0].args):
        return []
    sights = audit.record.course.at(tree.file, statement.lineno)
    read = sights[-1].read if sights else {}
    kinds = [read[text].kind if (text := ast.unparse(given)) in read else "" for given in calls[0].args]
    return [
        number
        for number, (given, kind) in enumerate(zip(calls[0].args, kinds, strict=True))
        if not isinstance(given, ast.Constant) and kind not in NO_TENSOR
    ]
