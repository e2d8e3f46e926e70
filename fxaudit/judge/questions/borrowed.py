"""What one optimizer's loss was to be computed from, without gradients, and another optimizer's loss is computed from,
too: a sample that a critic is trained on, and that its generator is then judged by."""

from __future__ import annotations

import ast
from collections.abc import Collection

from fxaudit.capture.events import BackwardEvent, StepEvent
from fxaudit.capture.recording import Op
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import binding_stack, project_stack, source_at
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import attribute_mentions, binding_of

__all__ = ["borrowed"]


def borrowed(audit: Audit, region: int, made: Op, tracks: Collection[int]) -> SourceLine | None:
    """Where what was `made` in the region that the frame `region` opened goes into a loss of the optimizer that holds
    one of the tensors, if the function that opened it computes only other optimizers' losses from it."""
    uses = _uses(audit, made)
    stacks = audit.record.stacks
    home = stacks.codes[project_stack(stacks, region)] if region >= 0 else None
    own: list[int] = []
    at_home = False
    for stack, op in uses:
        stepped = _stepped_by(audit, op)
        frames = [frame for frame in stacks.chain(stack) if stacks.codes[frame] is home]
        if not stepped:
            continue
        if stepped.isdisjoint(tracks):
            at_home = at_home or bool(frames)
        elif frames:
            return None
        else:
            own.append(stack)
    if not at_home:
        return None
    return audit.source(project_stack(stacks, own[0])) if own else _read_beside_a_step(audit, made, tracks)


def _read_beside_a_step(audit: Audit, made: Op, tracks: Collection[int]) -> SourceLine | None:
    """Where the attribute that keeps the value is read, behind a test that was not passed yet, in a function that steps
    the optimizer which holds one of the tensors."""
    stacks = audit.record.stacks
    kept = binding_stack(stacks, project_stack(stacks, made.stack))
    names = [name for name in binding_of(stacks.file(kept), stacks.line(kept)).names if "." in name]
    stepping = {
        (stacks.file(frame), stacks.function(frame).rpartition(".")[2])
        for event in audit.record.steps()
        if not event.tracks.isdisjoint(tracks)
        for frame in stacks.chain(event.stack)
    }
    for tree, node in (pair for n in names for pair in attribute_mentions(audit.project_files, n.rpartition(".")[2])):
        scope, lines = tree.function(node), audit.record.ran().of(tree.file)
        home = scope is not None and scope.lineno <= stacks.line(kept) <= (scope.end_lineno or 0)
        if scope is None or (home and tree.file == stacks.file(kept)) or not isinstance(node, ast.Attribute):
            continue
        if (tree.file, getattr(scope, "name", "")) in stepping and node.lineno not in lines:
            return source_at(tree.file, node.lineno)
    return None


def _uses(audit: Audit, made: Op) -> list[tuple[int, Op]]:
    """(where, operation) of each first computation with gradients from what was made without."""
    values, graph = audit.record.values, audit.graph
    queue, seen = list(made.outputs), set(made.outputs)
    found: dict[int, Op] = {}
    for vid in queue:
        for op in graph.consumers.get(vid, ()):
            if op.grad_enabled and any(values[out].requires_grad for out in op.outputs):
                found.setdefault(_called(audit, made, op), op)
                continue
            fresh = [out for out in op.outputs if out not in seen and out in graph.reaching]
            seen.update(fresh)
            queue += fresh
    return list(found.items())


def _called(audit: Audit, made: Op, op: Op) -> int:
    """The stack of the outermost module call around the operation, unless the value was made in that, too."""
    call, inside = op.module, set[int]()
    other = made.module
    while other >= 0:
        inside.add(other)
        other = audit.record.calls[other].parent
    stack = op.stack
    while call >= 0 and call not in inside:
        stack = audit.record.calls[call].stack
        call = audit.record.calls[call].parent
    return stack


def _stepped_by(audit: Audit, op: Op) -> set[int]:
    """The tensors of the optimizers that step on the gradients of the losses to which the operation leads."""
    after = audit.graph.downstream(op.outputs)
    found: set[int] = set()
    is_its = False
    for event in audit.record.events:
        match event:
            case BackwardEvent(roots=roots, restricted=False):
                is_its = not after.isdisjoint(roots)
            case StepEvent(tracks=held) if is_its:
                found |= held
    return found
