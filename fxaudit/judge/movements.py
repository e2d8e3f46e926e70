"""What the optimizers did to their groups in each step of the report: rates, gradients and changes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from fxaudit.answer.answer import Movement
from fxaudit.capture.recording import StepFact, Track

__all__ = ["Movements"]


class Movements:
    """The facts of all steps, handed out from the first on."""

    def __init__(self, tracks: Sequence[Track], names: Mapping[int, str]) -> None:
        self._names = names
        facts = ((fact, track.index) for track in tracks for fact in track.facts if fact.optimizer in names)
        self._facts = sorted(facts, key=lambda pair: pair[0].event)
        self._next = 0

    def between(self, end: int) -> tuple[Movement, ...]:
        """What was done by events before `end` and was not handed out before."""
        first = self._next
        while self._next < len(self._facts) and self._facts[self._next][0].event < end:
            self._next += 1
        groups: dict[tuple[int, int], dict[int, StepFact]] = {}
        for fact, track in self._facts[first : self._next]:
            groups.setdefault((fact.optimizer, fact.group), {})[track] = fact  # of two steps in a row the last
        return tuple(
            Movement(
                self._names[optimizer],
                group,
                [fact.lr for fact in facts.values()][-1],
                _joint(fact.norm for fact in facts.values() if fact.gradient != "none"),
                _joint(fact.change for fact in facts.values()),
                sum(fact.changed for fact in facts.values()),
                len(facts),
            )
            for (optimizer, group), facts in sorted(groups.items())
        )


def _joint(norms: Iterable[float]) -> float | None:
    """The norm of several tensors together; None where there is none, or it is not finite."""
    known = list(norms)
    found = math.sqrt(sum(norm * norm for norm in known))
    return found if known and math.isfinite(found) else None
