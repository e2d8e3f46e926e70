"""The verdict in one sentence."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fxaudit.answer.answer import Answer, ParameterReport

__all__ = ["LEFT_OUT", "summary", "unsettled_note"]

LEFT_OUT = "its finding is left out"
"""How the reason of a parameter begins whose finding somebody has decided about already."""


def summary(answer: Answer) -> str:
    """The verdict in one sentence; of a script that crashed, where, and what had been true until then."""
    if answer.crash is None:
        return _verdict(answer)
    if answer.audited and all(p.verdict in ("trained", "frozen") for p in answer) and len(answer):
        if answer.crash.step == 1:
            return f"{answer.crash}, before anything was updated. Had it gone on: {_verdict(answer)}"
        before = _verdict(answer).replace("will be updated", "were updated").replace("parameter were", "parameter was")
        return f"{answer.crash}; until then {before[0].lower()}{before[1:]}"
    return f"{answer.crash}. {_verdict(answer)}"


def _verdict(answer: Answer) -> str:
    if not answer.audited and not answer.findings:
        return "Nothing could be audited."
    own = [p for p in answer if p.verdict not in ("unregistered", "stale")]
    extra = [p for p in answer if p.verdict in ("unregistered", "stale")]
    lost = [p for p in own if p.verdict not in ("trained", "frozen", "unknown")]
    unknown = [p for p in own if p.verdict == "unknown"]
    cause = _causes(answer, lost, {p.name for p in (*(lost or unknown), *extra)})
    if lost or unknown:
        unsettled = lost or unknown
        share = (
            f"{len(unsettled)} of {_counted(own, 'parameter')}, {_count(sum(p.numel for p in unsettled))} "
            f"of {_count(sum(p.numel for p in own))} elements,"
        )
        if lost and (outside := [p for p in extra if p.verdict == "unregistered"]):
            share += f" and {_counted(outside, 'unregistered tensor')}"
        if not lost:
            return f"{share} could not be judged{f': {cause}' if cause else ''}."
        tail = f" {len(unknown)} could not be judged." if unknown else ""
        return f"{share} will not be updated: {cause or 'the cause was not found'}.{tail}"
    if extra:
        kinds = " and ".join(sorted({p.verdict for p in extra}))
        beside = f"beside {_counted(own, 'parameter')}" if own else "and no parameter"
        return f"{_counted(extra, f'{kinds} tensor')} {beside}{f': {cause}' if cause else ''}."
    told = _settled(own)
    if not answer.optimizers and not answer.steps and answer.symbolic.status == "traced":
        told = told.replace("will be updated", "can get a gradient")
    return f"{told}{_but(answer)}."


def _but(answer: Answer) -> str:
    """What is wrong though every parameter is settled: `, but there are 2 errors and 1 warning`, or nothing."""
    counts = [sum(finding.level == level for finding in answer.findings) for level in ("error", "warning")]
    named = [f"{n} {noun}{'s' * (n != 1)}" for n, noun in zip(counts, ("error", "warning"), strict=True) if n]
    return f", but there {'is' if sum(counts) == 1 else 'are'} {' and '.join(named)}" if named else ""


def _causes(answer: Answer, lost: list[ParameterReport], meant: Collection[str]) -> str:
    """How many causes keep what is `meant` from being updated; "" where nobody could be told of one."""
    about = [finding.parameters for finding in answer.findings if finding.level != "note"]
    count = sum(1 for names in about if not names or any(name in meant for name in names))
    if count:
        return "one cause" if count == 1 else f"{count} causes"
    if lost and all(p.findings or p.reason.startswith(LEFT_OUT) for p in lost):
        if any(not p.findings for p in lost):
            return "the findings are left out, see the notes"
        return "taken for intended, see the notes"
    return ""


def _count(number: int) -> str:
    for size, letter in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k")):
        # What three digits would round up to the next letter gets it.
        if number >= size * 0.9995:
            return f"{number / size:.3g} {letter}"
    return str(number)


def unsettled_note(count: int) -> str:
    """The sentence on parameters that no witness could settle."""
    return f"{count} parameters could not be settled; the reason stands with each."


def _counted(things: Sequence[object], noun: str) -> str:
    return f"{len(things)} {noun}{'s' * (len(things) != 1)}"


def _settled(own: Sequence[ParameterReport]) -> str:
    """What is to be said of parameters that all are trained or frozen."""
    if not own:
        return "No parameter was found"
    frozen = sum(1 for p in own if p.verdict == "frozen")
    if frozen == len(own):
        return f"All {len(own)} parameters are frozen" if frozen > 1 else "The one parameter is frozen"
    if frozen:
        trained = _counted([p for p in own if p.verdict != "frozen"], "parameter")
        return f"{trained} will be updated, {frozen} {'is' if frozen == 1 else 'are'} frozen"
    return f"All {len(own)} parameters will be updated" if len(own) != 1 else "The one parameter will be updated"
