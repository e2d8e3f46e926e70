"""What was put aside without its history, and is read back in the place of the value itself: a memory of vectors."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.capture.recording import Op
from fxaudit.judge.rule import Audit
from fxaudit.program.source import SourceLine

__all__ = ["ADVICE", "ROLE", "read_back"]

ROLE = "put aside here, rightly without its history: it is kept beyond this step"
ADVICE = "Use the value itself here; what was put aside is a copy without its history."


def read_back(audit: Audit, cut: Op) -> SourceLine | None:
    """Where the loss reads from something kept from step to step, at the very places to which the operation `cut` had
    just given what it detached; None where it does not."""
    for write, target in _writes(audit, cut):
        if not _is_kept(audit, write, target):
            continue
        places = set(write.inputs) - {target} - set(cut.outputs)
        for out in write.outputs:
            for read in audit.graph.consumers.get(out, ()):
                reaches = any(made in audit.graph.reaching for made in read.outputs)
                if reaches and not read.mutates and not places.isdisjoint(read.inputs):
                    return audit.op_source(read.index)
    return None


def _writes(audit: Audit, cut: Op) -> Iterator[tuple[Op, int]]:
    """The operations that write what was detached into another value, and that value, if nothing else reads it."""
    users = [user for out in cut.outputs for user in audit.graph.consumers.get(out, ())]
    for user in users if all(user.mutates for user in users) else ():
        yield from ((user, target) for target in user.mutates if target not in cut.outputs)


def _is_kept(audit: Audit, write: Op, target: int) -> bool:
    """Whether the value was there before anything was computed, or the same line writes into it before another
    backward, too."""
    maker = audit.record.values[target].op
    if maker < 0:
        return True
    later = [user for out in write.outputs for user in audit.graph.consumers.get(out, ()) if out in user.mutates]
    pairs = [(maker, write.index), *((write.index, user.index) for user in later)]
    alike = [(one, other) for one, other in pairs if audit.record.ops[one].stack == audit.record.ops[other].stack]
    return any(one < backward.time <= other for one, other in alike for backward in audit.graph.backwards)
