"""Of several modules of one class, the one that is made or called unlike the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fxaudit.judge.rule import Audit
from fxaudit.program.source import SourceLine

if TYPE_CHECKING:
    from fxaudit.capture.registry import ModuleInfo

__all__ = ["only_here"]


def only_here(audit: Audit, index: int) -> SourceLine | None:
    """Where the module was made in which the operation lost a gradient, if others of its class, of the user's own, ran
    the same line and lost none there: what the line does is then right, and what this one was given is not."""
    record, recording = audit.record, audit.recording
    op = record.ops[index]
    if op.module < 0:
        return None
    own = record.calls[op.module].module
    info = recording.modules[own]
    place = _place(audit, index)
    if recording.class_of(info).module.startswith("torch.") or not info.is_alive:
        return None  # what is made anew for each call is not told apart
    lost = {found.bites for state in audit.states if (found := audit.judge.origins.of(state.track)) is not None}
    lost |= {found.origin for state in audit.states if (found := audit.judge.origins.of(state.track)) is not None}
    alike = [
        other.index
        for other in record.ops
        if other.name == op.name
        and other.module >= 0
        and (module := record.calls[other.module].module) != own
        and recording.modules[module].kind == info.kind
        and recording.modules[module].is_alive
        and recording.modules[module].created != info.created
        and _place(audit, other.index) == place
    ]
    passed = audit.graph.carried([state.index for state in audit.states if state.verdict == "trained"])
    # Only what a trained parameter's gradient comes back through is known to lose none.
    alike = [other for other in alike if not passed.isdisjoint(record.ops[other].outputs)]
    made = audit.source(_asked_for(audit, info)) if alike and lost.isdisjoint(alike) else None
    return made if made is not None and not made.library else None


def _asked_for(audit: Audit, info: ModuleInfo) -> int:
    """The frame that asked for the module: the first outside the `__init__` of its own classes."""
    stacks = audit.record.stacks
    own = {f"{name.rpartition('.')[2]}.__init__" for name, _, _ in audit.recording.class_of(info).bases}
    for frame in stacks.chain(info.created):
        if ".".join(stacks.function(frame).split(".")[-2:]) not in own:
            return frame
    return info.created


def _place(audit: Audit, index: int) -> tuple[str, int]:
    stacks, stack = audit.record.stacks, audit.record.ops[index].stack
    return stacks.file(stack), stacks.line(stack)
