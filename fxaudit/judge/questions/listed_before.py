"""A list of parameters that was made before one of them was put there anew, and from which the optimizer was built."""

from __future__ import annotations

from collections.abc import Iterable

from fxaudit.capture.registry import OptimizerInfo
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import user_place
from fxaudit.judge.verdict import ParameterState

__all__ = ["LISTED_BEFORE", "listed_before"]

LISTED_BEFORE = (
    "Change the numbers of the one that is there, `.data.copy_(…)`, or make the list when it is asked for: the one "
    "that the optimizer was given holds what stood here before."
)


def listed_before(
    audit: Audit, state: ParameterState, stale: Iterable[ParameterState]
) -> tuple[int, OptimizerInfo, ParameterState] | None:
    """(where it was put there, the optimizer, what that holds) of a parameter that took the place of one which an
    optimizer holds, though that was built later."""
    if not state.track.registered:
        return None
    for old in stale:
        for info in (audit.recording.optimizers[index] for index, _ in old.held):
            stack = _put_there(audit, state, old) if state.index in info.names_then else -1
            if stack >= 0:
                return stack, info, old
    return None


def _put_there(audit: Audit, state: ParameterState, old: ParameterState) -> int:
    """The stack of the assignment that gave the parameter, or the module around it, the place of the old one; -1 where
    it is in another place."""
    if not old.track.registered or state.root is None:
        return -1
    before, owner, name = old.track.registered[-1][:3]
    time, new_owner, new_name, stack, _ = state.track.registered[-1]
    if name != new_name or before > time:
        return -1
    if owner == new_owner:
        return stack
    former, new = audit.recording.modules[owner], audit.recording.modules[new_owner]
    above, _, part = state.local_name.rpartition(".")[0].rpartition(".")
    around = audit.recording.way(state.root, above)[-1]
    entries = [entry for entry in around.attributes.get(part, ()) if entry[2] == "module"]
    stood_there = any(
        user_place(audit.record.stacks, former.created) == user_place(audit.record.stacks, entry[1])
        for entry in entries[:-1]
    )
    return entries[-1][1] if stood_there and former.type == new.type else -1
