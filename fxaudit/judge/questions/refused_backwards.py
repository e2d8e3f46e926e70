"""Which line is to blame where the autograd engine refuses a backward, by what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fxaudit.capture import operations
from fxaudit.capture.events import BackwardEvent, StepEvent
from fxaudit.capture.recording import Op
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import binding_stack, project_stack
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import binding_of

__all__ = ["Refusal", "refusal"]

Lines = list[tuple[SourceLine | None, str]]

WRITTEN = re.compile(
    r"modified by an inplace operation.*?which is output \d+ of (?:\w+::)?(\w+?)(?:Backward)?\d*,", re.S
)
NO_DERIVATIVE = re.compile(r"derivative for aten::(\w+) is not implemented")
AGAIN = "backward through the graph a second time"
NO_SCALAR = "grad can be implicitly created only for scalar outputs"
OF_WEIGHTS = frozenset({"T", "AsStrided", "Transpose", "Permute", "View", "AccumulateGrad"})
"""The nodes through which a layer's own weight comes to it."""
LAYERS = {"Addmm": "linear", "Mm": "linear", "Convolution": "conv"}


@dataclass(frozen=True)
class Refusal:
    """The line to edit, what is related to it, and what to do."""

    line: SourceLine
    related: Lines
    help: str


def refusal(audit: Audit, event: BackwardEvent) -> Refusal | None:
    """What is behind the error of a backward; None where the engine's words say no more than its own line."""
    called: Lines = [(audit.source(event.stack), "refused here")]
    written = WRITTEN.search(event.error)
    if written is not None:
        return _written(audit, event, written[1], called)
    missing = NO_DERIVATIVE.search(event.error)
    if missing is not None:
        return _no_derivative(audit, event, missing[1], called)
    if AGAIN in event.error:
        return _kept(audit, event, called)
    if NO_SCALAR in event.error:
        return _several(audit, event, called)
    return None


def _written(audit: Audit, event: BackwardEvent, node: str, called: Lines) -> Refusal | None:
    """Something was written over that the backward needs: an activation in place, or weights by a step."""
    if node in OF_WEIGHTS:
        return _stepped(audit, event, called)
    name = LAYERS.get(node, node).lower()
    for maker in reversed(_behind(audit, event)):
        if name not in operations.of(maker.name).name.replace("_", "") and name not in maker.name.replace("_", ""):
            continue
        writes = [op for op in _writes_into(audit, maker) if op.index < event.time]
        line = audit.source(writes[0].stack) if writes else None
        if line is not None:
            more = [(audit.source(op.stack), f"`{op.name}` writes into it, too") for op in writes[1:3]]
            made = (audit.source(maker.stack), f"`{maker.name}` made it, and needs it for its derivative")
            return Refusal(line, [made, *more, *called], "Make a new tensor here instead of writing into this one.")
    return None


def _stepped(audit: Audit, event: BackwardEvent, called: Lines) -> Refusal | None:
    """An optimizer has stepped between the forward and the backward that needs the weights as they were then."""
    behind = _behind(audit, event)
    began = behind[0].index if behind else event.time
    steps = [e for e in audit.record.events if isinstance(e, StepEvent) and began < e.time <= event.time]
    line = audit.source(steps[-1].stack) if steps else None
    if line is None:
        return None
    forward = (
        audit.source(binding_stack(audit.record.stacks, behind[0].stack)),
        "the old weights are used from here on",
    )
    return Refusal(
        line, [forward, *called], "Step after the last backward that needs these weights, or compute its loss anew."
    )


def _no_derivative(audit: Audit, event: BackwardEvent, name: str, called: Lines) -> Refusal | None:
    plain = name.rstrip("_")
    made = [op for op in _behind(audit, event) if operations.of(op.name).name == plain or plain in op.name]
    line = audit.source(made[-1].stack) if made else None
    if line is None:
        return None
    return Refusal(line, called, f"Use an operation that has a derivative: `{made[-1].name}` has none.")


def _kept(audit: Audit, event: BackwardEvent, called: Lines) -> Refusal | None:
    """A value of an earlier round was used again, and with it the graph that its backward has freed."""
    earlier = [e for e in audit.record.backwards() if e.time < event.time and not e.error and e is not event]
    if not earlier:
        return None
    values, freed = audit.record.values, earlier[-1].time
    for op in _behind(audit, event):
        if op.index < freed:
            continue
        old = [v for v in (values[vid] for vid in op.inputs) if 0 <= v.op < freed and v.requires_grad and v.track < 0]
        made = audit.source(_kept_at(audit, audit.record.ops[old[0].op].stack, event.stack)) if old else None
        if made is not None:
            used = (audit.source(op.stack), "it is used again here")
            return Refusal(made, [used, *called], "Detach what is kept for the next round: `kept = kept.detach()`.")
    return None


def _kept_at(audit: Audit, made: int, backward: int) -> int:
    """The frame in which a value outlives its round: where it becomes an attribute or an entry, or a variable of the
    function that calls `backward`."""
    stacks = audit.record.stacks
    around = {id(stacks.codes[frame]) for frame in stacks.chain(backward)}
    chain = stacks.chain(project_stack(stacks, made))
    for frame in chain:
        names = binding_of(stacks.file(frame), stacks.line(frame), stacks.column(frame)).names
        if id(stacks.codes[frame]) in around or any("." in name or "[" in name for name in names):
            return frame
    return chain[0] if chain else made


def _several(audit: Audit, event: BackwardEvent, called: Lines) -> Refusal | None:
    """The loss has several elements: nobody took its mean."""
    made = audit.record.values[event.roots[0]].op if event.roots else -1
    line = audit.source(audit.record.ops[made].stack) if made >= 0 else None
    if line is None:
        return None
    return Refusal(line, called, "Take the mean, or the sum, of the losses before `backward`.")


def _behind(audit: Audit, event: BackwardEvent) -> list[Op]:
    """The operations through which the backward would go, in the order in which they ran."""
    record, seen = audit.record, set[int]()
    queue = list(event.roots)
    for vid in queue:
        made = record.values[vid].op
        if made >= 0 and made not in seen and record.values[vid].requires_grad and record.values[vid].track < 0:
            seen.add(made)
            queue.extend(record.ops[made].inputs)
    return [record.ops[index] for index in sorted(seen)]


def _writes_into(audit: Audit, maker: Op) -> Iterator[Op]:
    """The operations that write into what the operation made, or into a view of it, in their order."""
    found: dict[int, Op] = {}
    queue = list(maker.outputs)
    for vid in queue:
        for op in audit.graph.consumers.get(vid, ()):
            if op.index in found:
                continue
            if op.mutates and op.inputs and op.inputs[0] == vid:
                found[op.index] = op
                queue.extend(op.outputs)
            elif operations.of(op.name).view:
                queue.extend(op.outputs)
    yield from (found[index] for index in sorted(found))
