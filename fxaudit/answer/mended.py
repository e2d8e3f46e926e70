"""Whether a trial mended what findings name: two answers compared, before the edit and after it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from fxaudit.answer.answer import VERDICTS, Answer, ParameterReport
from fxaudit.answer.finding import Finding
from fxaudit.answer.noise import noise_only

__all__ = ["first_difference", "seen", "shortfall"]

_KNOWN_TO_MODEL = tuple(verdict for verdict in VERDICTS if verdict not in ("unregistered", "stale"))

Pairs = Mapping[str, ParameterReport]
"""A parameter's name before → what it has become."""


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
    """Why the edit that led from `before` to `after` does not mend `findings`; "" where it does.

    It mends where everything that they name is trained, nothing else has another verdict (but what another finding
    blames may be trained, too), and no finding above note is new. Nothing may have disappeared but stale tensors.
    """
    pairs = _pairs(before, after)
    named = {name: None for finding in findings for name in finding.parameters}
    return (
        _ending(after)
        or _still_dead(before, after, pairs, named, _meant_to_freeze(findings))
        or _worse(before, after, pairs, set(named))
        or _still_found(after, findings)
        or _new(before, after)
    )


def seen(before: Answer, after: Answer, findings: Sequence[Finding]) -> str:
    """What a trial that mends shows, in words."""
    pairs = _pairs(before, after)
    named = {name for finding in findings for name in finding.parameters}
    trained = [name for name, parameter in pairs.items() if parameter.verdict == "trained"]
    count = sum(name in named for name in trained)
    more = [
        name
        for name in trained
        if name not in named and name in before.parameters and before.parameters[name].verdict != "trained"
    ]
    frozen = sum(pairs[name].verdict == "frozen" for name in _meant_to_freeze(findings) if name in pairs)
    said = f"{count} parameter{'s train' if count != 1 else ' trains'}" if count else "the finding is gone"
    noise = sum(pairs[name].name in noise_only(after) for name in named if name in pairs)
    if noise:
        said += f", {noise} {'get' if noise != 1 else 'gets'} rounding noise alone"
    if frozen:
        said = f"{frozen} parameter{'s are' if frozen != 1 else ' is'} frozen, as was meant"
    if more:
        said += f", {len(more)} more with {'them' if count != 1 else 'it'}"
    return f"{said}, nothing else changes its verdict{_loss(before, after)}"


def _loss(before: Answer, after: Answer) -> str:
    """How the loss of the first step compares, in words; "" where it is not known of both."""
    if not before.steps or not after.steps:
        return ""
    was, now = before.steps[0].loss, after.steps[0].loss
    if was is None or now is None:
        return ""
    if now == was or (math.isnan(now) and math.isnan(was)):
        return ", the loss of step 1 is the same"
    digits = next((n for n in (3, 4, 6, 9) if f"{now:.{n}g}" != f"{was:.{n}g}"), 17)
    return f", the loss of step 1 is {now:.{digits}g}, was {was:.{digits}g}"


def _ending(after: Answer) -> str:
    if after.traceback or after.script_exit:
        return f"the script then ended with {(after.script_exit or 'an exception').splitlines()[0][:160]}"
    return "" if after.audited else "nothing could be audited then"


def _meant_to_freeze(findings: Sequence[Finding]) -> set[str]:
    """What a line was to freeze that freezes nothing: where the edit does freeze it, that is what was meant."""
    return {name for finding in findings if finding.name == "flag-on-module" for name in finding.parameters}


def _still_dead(before: Answer, after: Answer, pairs: Pairs, named: Iterable[str], to_freeze: set[str]) -> str:
    noise = {name for name, new in pairs.items() if new.name in noise_only(after)}
    own = any(name in before.parameters and before.parameters[name].verdict in _KNOWN_TO_MODEL for name in named)
    for name in named:
        old, new = before.parameters.get(name), pairs.get(name)
        if new is None:
            # A leaf made on the way, such as `detach().requires_grad_()`, may go: the model's own get its gradient.
            if old is None or old.verdict == "stale" or (old.verdict == "unregistered" and own):
                continue
            if _is_made_once(name, pairs, after):
                continue
            return f"`{name}` is no longer there"
        if new.verdict == "frozen" and name in to_freeze:
            continue
        if new.verdict != "trained" and name not in noise:
            return f"`{name}` is {'still ' if old is not None and old.verdict == new.verdict else ''}{new.verdict}"
    lives = any(pairs[name].verdict == "trained" for name in named if name in pairs) or not set(named) & noise
    return "" if lives and any(p.verdict == "trained" for p in pairs.values()) else "nothing is trained then"


_AGAIN = re.compile(r" #\d+$")
"""What the name of a second tensor in the same place ends with."""


def _is_made_once(name: str, pairs: Pairs, after: Answer) -> bool:
    """Whether `name` was made anew in each step, in a place that is kept and trains now."""
    place = re.sub(_AGAIN, "", name)
    kept = pairs.get(place) or after.parameters.get(place)
    return place != name and kept is not None and kept.verdict == "trained"


def _worse(before: Answer, after: Answer, pairs: Pairs, named: set[str]) -> str:
    blamed = {name for finding in _loud(before) for name in finding.parameters}
    for old in before:
        if old.name in named or old.verdict == "stale":
            continue
        new = pairs.get(old.name)
        if new is None and old.verdict == "unregistered" and old.name not in blamed:
            continue
        if new is None and _is_made_once(old.name, pairs, after) and re.sub(_AGAIN, "", old.name) in named:
            continue
        if new is None:
            return f"`{old.name}` is no longer there"
        if old.name in blamed and new.name in noise_only(after):
            continue
        # What no finding blames is meant to be as it is: a frozen backbone, a teacher that no optimizer holds.
        if new.verdict != old.verdict and not (new.verdict == "trained" and old.name in blamed):
            return f"`{old.name}` becomes {new.verdict}"
    return ""


def _still_found(after: Answer, findings: Sequence[Finding]) -> str:
    found = _loud(after)
    for finding in findings:
        if any(other.code == finding.code and _share(finding, other) for other in found):
            return f"{finding.code} is still found"
    return ""


def _new(before: Answer, after: Answer) -> str:
    known = _loud(before)
    for finding in _loud(after):
        if not any(old.code == finding.code and _share(finding, old) for old in known):
            return f"{finding.code} is found then: {finding.message}"
    return ""


def _share(one: Finding, other: Finding) -> bool:
    """Whether two findings are about the same parameters, or one of them about none."""
    if not one.parameters or not other.parameters:
        return True
    return not set(map(_plain, one.parameters)).isdisjoint(map(_plain, other.parameters))


def _loud(answer: Answer) -> list[Finding]:
    return [finding for finding in answer.findings if finding.level != "note"]


def _plain(name: str) -> str:
    """`layers.0.weight` of `layers[0].weight` and `layers['a'].weight`: the name that a container gives."""
    return re.sub(r"\[['\"]?([^\]'\"]*)['\"]?\]", r".\1", name).lstrip(".")


def _pairs(before: Answer, after: Answer) -> Pairs:
    """What each parameter has become: by its name, by that which a container gives, else by its end and its shape."""
    found: dict[str, ParameterReport] = {}
    free = dict(after.parameters)
    for of_name in (lambda name: name, _plain):
        for name in before.parameters:
            if name not in found and of_name(name) in free:
                found[name] = free.pop(of_name(name))
    for old in before:
        if old.name not in found and old.verdict in ("unregistered", "excluded"):
            new = next((p for p in free.values() if _is_moved(old, p)), None)
            if new is not None:
                found[old.name] = free.pop(new.name)
    return found


def _is_moved(old: ParameterReport, new: ParameterReport) -> bool:
    """Whether `new` may be `old` under another name: the registered one of a tensor that no module knew."""
    return old.shape == new.shape and _plain(old.name).split(".")[-1] == new.name.split(".")[-1]
