"""Arguments in the wrong order: a function detaches the one that carries the gradient, and the other carries none."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from fxaudit.capture import operations
from fxaudit.capture.recording import Op
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import tree_of

__all__ = ["swapped_arguments"]

MAX_BEHIND = 400
"""So many operations are gone back from the other argument."""


def swapped_arguments(audit: Audit, op: Op) -> SourceLine | None:
    """The call that gives a function its arguments in the wrong order, where `op` in it detaches one of them.

    The function would bring gradient to the other one, which comes from parameters, too, and is held constant by the
    caller: a teacher's output. What comes out has no gradient at all. Or the other one is what the detached one was
    computed from, and the names in the call are those of the arguments in the other order.
    """
    stacks = audit.record.stacks
    frame = project_stack(stacks, op.stack)
    caller = stacks.parents[frame] if frame >= 0 else -1
    if caller < 0 or not _detaches_argument(stacks.file(frame), stacks.line(frame)):
        return None
    if not _is_called(stacks.file(caller), stacks.line(caller), stacks.function(frame).rpartition(".")[2]):
        return None  # a hook: torch gives it its arguments
    if any(stacks.codes[above] is stacks.codes[frame] for above in stacks.chain(caller)):
        return None  # it calls itself, for each part of what it was given
    place = (stacks.codes[frame], caller)
    inside = [
        other
        for other in audit.graph.ops
        if any((stacks.codes[above], stacks.parents[above]) == place for above in stacks.chain(other.stack))
    ]
    values = audit.record.values
    if any(values[out].requires_grad for other in inside for out in other.outputs):
        is_crossed = _are_crossed(audit, frame, caller) and _adds_parameters(audit, op, inside)
        return audit.source(project_stack(stacks, caller)) if is_crossed else None
    made = {out for other in inside for out in other.outputs} | set(op.inputs)
    met = audit.graph.downstream(op.outputs)
    meeting = [other for other in inside if not met.isdisjoint(other.inputs)]
    others = {vid for other in meeting for vid in other.inputs if vid not in made and values[vid].track < 0}
    if any(_parameters_behind(audit, [vid]) for vid in others):
        return audit.source(project_stack(stacks, caller))
    return None


def _is_called(file: str, line: int, function: str) -> bool:
    """Whether the statement at the line calls a function of that name, or a module by its `forward`."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    calls = [n.func for n in ast.walk(statement) if isinstance(n, ast.Call)] if statement is not None else []
    return function == "forward" or any(getattr(c, "attr", getattr(c, "id", "")) == function for c in calls)


def _detaches_argument(file: str, line: int) -> bool:
    """Whether the line detaches an argument of its function, which has several."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    function = tree.function(statement) if tree is not None and statement is not None else None
    if statement is None or not isinstance(function, ast.FunctionDef):
        return False
    names = {argument.arg for argument in (*function.args.posonlyargs, *function.args.args)} - {"self"}
    return len(names) > 1 and any(
        isinstance(node, ast.Attribute)
        and operations.of(node.attr).detaches
        and isinstance(node.value, ast.Name)
        and node.value.id in names
        for node in ast.walk(statement)
    )


def _parameters_behind(audit: Audit, values: Iterable[int]) -> set[int]:
    """The parameters that the values are computed from."""
    record, parameters = audit.record, {state.index for state in audit.states}
    queue, seen, found = [*values], set[int](), set[int]()
    for value in queue:
        if record.values[value].track in parameters:
            found.add(record.values[value].track)
        made = record.values[value].op
        if made >= 0 and made not in seen and len(seen) < MAX_BEHIND:
            seen.add(made)
            queue += record.ops[made].inputs
    return found


def _adds_parameters(audit: Audit, op: Op, inside: list[Op]) -> bool:
    """Whether what is detached is computed from all that the other argument is, and from more."""
    after = audit.graph.downstream(op.outputs)
    others = [vid for other in inside if after & set(other.inputs) for vid in other.inputs if vid not in after]
    detached, beside = _parameters_behind(audit, op.inputs), _parameters_behind(audit, others)
    return bool(beside) and beside < detached


def _are_crossed(audit: Audit, frame: int, caller: int) -> bool:
    """Whether the names of what is given fit those of the arguments better in another order."""
    stacks = audit.record.stacks
    tree, other = tree_of(stacks.file(frame)), tree_of(stacks.file(caller))
    statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
    function = tree.function(statement) if tree is not None and statement is not None else None
    calling = other.statement_at(stacks.line(caller)) if other is not None else None
    if not isinstance(function, ast.FunctionDef) or calling is None:
        return False
    names = [argument.arg for argument in function.args.args if argument.arg != "self"]
    for call in (
        node for node in ast.walk(calling) if isinstance(node, ast.Call) and len(node.args) == len(names) == 2
    ):
        if function.name == "forward" or getattr(call.func, "attr", getattr(call.func, "id", "")) == function.name:
            given = [_name(argument) for argument in call.args]
            straight = sum(map(_fits, given, names))
            return sum(map(_fits, given, reversed(names))) > straight
    return False


def _name(node: ast.expr) -> str:
    called = node.func if isinstance(node, ast.Call) else node
    return str(getattr(called, "attr", getattr(called, "id", ""))).rstrip("_0123456789").lower()


def _fits(given: str, argument: str) -> bool:
    argument = argument.rstrip("_0123456789").lower()
    return bool(given) and (argument.startswith(given) or given.startswith(argument))
