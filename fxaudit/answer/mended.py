"""Whether a trial mended what findings name: two answers compared, before the edit and after it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fxaudit.answer.answer import Answer, ParameterReport
from fxaudit.answer.finding import Finding

__all__ = ["first_difference", "seen", "shortfall"]


def first_difference(report: Answer, again: Answer) -> str:
    """Where a second run of the same program differs from the first; "" where it does not."""
    for name, parameter in report.parameters.items():
        other = again.parameters.get(name)
        if other is None:
            return f"`{name}` was in the first only"
        if other.verdict != parameter.verdict:
            return f"`{name}` was {parameter.verdict}, then {other.verdict}"
    extra = next((name for name in again.parameters if name not in report.parameters), None)
    return f"`{extra}` was in the second only" if extra else ""


def shortfall(before: Answer, after: Answer, findings: Sequence[Finding]) -> str:
    """Why the edit that led from `before` to `after` does not mend `findings`; "" where it does."""
    named = {name for finding in findings for name in finding.parameters}
    return (
        _ending(after)
        or _still_dead(before, after, named)
        or _worse(before, after, named)
        or _still_found(after, findings)
        or _new(before, after)
    )


def _ending(after: Answer) -> str:
    if not after.audited:
        return "nothing could be audited then"
    if after.traceback or after.script_exit:
        return f"the script then ended with {_first_line(after.script_exit or after.traceback or '')}"
    return ""


def _first_line(text: str) -> str:
    return text.strip().split("\n")[-1][:160] if "\n" in text else text[:160]


def _still_dead(before: Answer, after: Answer, named: set[str]) -> str:
    for name in named:
        old = before.parameters.get(name)
        new = _counterpart(name, old, after)
        if new is None:
            if old is None or old.verdict in ("stale", "unregistered"):
                continue
            return f"`{name}` is no longer there"
        if new.verdict != "trained" and not (old is not None and old.verdict == new.verdict == "frozen"):
            return f"`{name}` is {'still ' if old is not None and old.verdict == new.verdict else ''}{new.verdict}"
    if named and not any(p.verdict == "trained" for p in after):
        return "nothing is trained then"
    lost = sum(1 for p in before if p.verdict == "unregistered") - sum(
        1 for p in after if p.name not in before.parameters
    )
    gone = [p.name for p in before if p.verdict == "unregistered" and _counterpart(p.name, p, after) is None]
    return f"`{gone[0]}` is no longer there" if gone and lost > 0 else ""


def _worse(before: Answer, after: Answer, named: set[str]) -> str:
    blamed = {name for finding in _loud(before) for name in finding.parameters}
    for old in before:
        if old.name in named or old.verdict == "stale":
            continue
        new = _counterpart(old.name, old, after)
        if new is None:
            return f"`{old.name}` is no longer there"
        # What no finding blames is meant to be as it is: a frozen backbone, a teacher that no optimizer holds.
        if new.verdict != old.verdict and not (new.verdict == "trained" and old.name in blamed):
            return f"`{old.name}` becomes {new.verdict}"
    return ""


def _still_found(after: Answer, findings: Sequence[Finding]) -> str:
    for finding in findings:
        for other in _loud(after):
            if other.code == finding.code and (
                not finding.parameters or not other.parameters or set(finding.parameters) & set(other.parameters)
            ):
                return f"{other.code} is still found"
    return ""


def _new(before: Answer, after: Answer) -> str:
    known = _loud(before)
    for finding in _loud(after):
        names = set(map(_plain, finding.parameters))
        if not any(
            old.code == finding.code and (not names or names & set(map(_plain, old.parameters))) for old in known
        ):
            return f"{finding.code} is found then: {finding.message}"
    return ""


def _loud(answer: Answer) -> list[Finding]:
    return [finding for finding in answer.findings if finding.level != "note"]


def _plain(name: str) -> str:
    """`layers.0.weight` of `layers[0].weight` and `layers['a'].weight`: the name that a container gives."""
    return re.sub(r"\[['\"]?([^\]'\"]*)['\"]?\]", r".\1", name).lstrip(".")


def _counterpart(name: str, old: ParameterReport | None, after: Answer) -> ParameterReport | None:
    """The parameter that `name` has become."""
    plain = _plain(name)
    for known in (name, plain):
        if known in after.parameters:
            return after.parameters[known]
    if old is None or old.verdict not in ("unregistered", "stale", "excluded"):
        return None
    ends = [p for p in after if p.name.endswith(f".{plain}") or plain.endswith(f".{p.name}")]
    if not ends:
        last = plain.split(".")[-1]
        ends = [p for p in after if p.shape == old.shape and p.name.split(".")[-1] == last]
    return ends[0] if ends and (len(ends) == 1 or all(p.verdict == ends[0].verdict for p in ends)) else None


def seen(before: Answer, after: Answer, findings: Sequence[Finding]) -> str:
    """What a trial that mends shows, in words."""
    named = {name for finding in findings for name in finding.parameters}
    more = [
        p.name for p in before if p.name not in named and p.verdict != "trained" and _trains(p.name, p, after)
    ]
    count = sum(1 for name in named if _trains(name, before.parameters.get(name), after))
    trained = f"{count} parameter{'s train' if count != 1 else ' trains'}" if count else "the finding is gone"
    if more:
        return f"{trained}, {len(more)} more with {'them' if count != 1 else 'it'}, and none changes for the worse"
    return f"{trained}, nothing else changes its verdict"


def _trains(name: str, old: ParameterReport | None, after: Answer) -> bool:
    found = _counterpart(name, old, after)
    return found is not None and found.verdict == "trained"
