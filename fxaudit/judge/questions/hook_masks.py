"""Why what a hook multiplies a gradient by is zero: the number, the comparison or the selection it was made of."""

from __future__ import annotations

from fxaudit.judge.questions.births import born_at, number_born, threshold_born, zero_factor_born
from fxaudit.judge.questions.empty_writes import empty_selection, listed_nothing
from fxaudit.judge.rule import Audit
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.source import SourceLine

__all__ = ["zero_in_hook"]

Lines = list[tuple[SourceLine | None, str]]


EARLIER = "Take this length before what is counted grows to it: as it is, it says where everything ends."
ANOTHER = "Give what the hook multiplies the gradient by another value."


def zero_in_hook(audit: Audit, state: ParameterState) -> tuple[SourceLine, Lines, str] | None:
    """(line, related, help): the line from which the factor of 0, or the mask that lets nothing pass, comes with which
    a hook on the parameter multiplies."""
    found = audit.judge.origins.of(state.track)
    record = audit.record
    op = record.ops[found.origin] if found is not None and found.origin >= 0 else None
    if op is None:
        return None
    birth = zero_factor_born(record, op.stack, 1)
    if birth is not None:
        return (*born_at(birth), ANOTHER)
    compared = threshold_born(record, op.index, counted=True)
    if compared is not None:
        line, stations = born_at(compared[0])
        is_length = not compared[0].is_a_setting and not compared[0].is_whole
        return line, stations, EARLIER if is_length else ANOTHER
    for vid in op.inputs:
        filled = _all_filled(audit, vid)
        if filled is not None:
            return (*filled, ANOTHER)
        nothing = empty_selection(audit, vid) or listed_nothing(audit, vid)
        if nothing is not None:
            return nothing.line, nothing.related, nothing.help
    return None


def _all_filled(audit: Audit, vid: int) -> tuple[SourceLine, Lines] | None:
    """The line from which the number comes up to which a mask was filled with zeros, where that is all of it."""
    record = audit.record
    made, shape = record.values[vid].op, record.values[vid].shape
    op = record.ops[made] if made >= 0 else None
    if op is None or not op.mutates or set(op.numbers) != {0}:
        return None
    birth = number_born(record, op.stack, shape[:1].__contains__)
    if birth is None:
        return None
    line, stations = born_at(birth)
    return line, [(audit.source(op.stack), f"all {shape[0]} are filled with zeros here"), *stations]
