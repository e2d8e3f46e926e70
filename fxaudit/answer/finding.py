"""Findings: what a rule says about parameters, with the line to blame."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from fxaudit.program.source import SourceLine

__all__ = [
    "DECISIONS",
    "LEVELS",
    "PATCH_STATES",
    "Attempt",
    "Decision",
    "Finding",
    "Level",
    "Patch",
    "PatchState",
    "PathStep",
    "Related",
    "Suppressed",
]

Level = Literal["error", "warning", "note"]
LEVELS: tuple[Level, ...] = ("error", "warning", "note")
"""From loudest to quietest."""

StepKind = Literal["optimizer", "parameter", "operation", "cut", "python", "loss", "end"]


@dataclass(frozen=True, slots=True)
class Related:
    """Another line that belongs to a finding, and the part it plays, such as `"the effect shows here"`."""

    source: SourceLine
    role: str


@dataclass(frozen=True, slots=True)
class PathStep:
    """One station on the way from a parameter to the loss.

    `kind` is `cut` where the gradient ends, `end` where the value itself goes no further, `python` where it left torch.
    `norm` is the 2-norm of the gradient that it was seen to hand back to the station before it, None where nobody
    measured that, or none is handed back.
    """

    kind: StepKind
    label: str
    module: str = ""
    source: SourceLine | None = None
    carries_gradient: bool = True
    norm: float | None = None


PatchState = Literal["tried", "untried", "failed"]
PATCH_STATES: tuple[PatchState, ...] = ("tried", "untried", "failed")


@dataclass(frozen=True, slots=True)
class Attempt:
    """An edit that was tried and did not mend, and why."""

    diff: str
    reason: str


@dataclass(frozen=True, slots=True)
class Patch:
    """An edit of the program that mends a finding, as a unified diff that `git apply` takes.

    `tried`: the program was run with it, in a copy, and what the finding names trained; `seen` says what else was seen.
    `untried`: it is offered, and `seen` says why nobody ran it. `failed`: no edit was seen to work; there is no diff,
    and `seen` says why. `attempts` holds what was tried before and did not mend.
    """

    state: PatchState
    diff: str = ""
    files: tuple[str, ...] = ()
    seen: str = ""
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect: a fact about the user's objects, the parameters it concerns and the line an expert would edit.

    `proved` is True when a replay without the culprit brought gradient back to `restored`, False when it did not, and
    None when no replay was made or the culprit has no neutral form. `also` names the codes of further causes that have
    to be fixed after this one. `fact` says in one sentence, with the numbers seen, why a derivative is zero or not
    finite; None where that is not the question, or not known. `patch` is an edit that mends it; None where none was
    asked for, or none is known.
    """

    code: str
    name: str
    level: Level
    message: str
    fix: str
    parameters: tuple[str, ...] = ()
    culprit: SourceLine | None = None
    related: tuple[Related, ...] = ()
    path: tuple[PathStep, ...] = ()
    proved: bool | None = None
    restored: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    fact: str | None = None
    patch: Patch | None = None

    def with_proof(self, proved: bool, restored: tuple[str, ...]) -> Finding:
        """This finding with the outcome of its replay."""
        return replace(self, proved=proved, restored=restored)


Decision = Literal["rule", "comment", "baseline"]
DECISIONS: tuple[Decision, ...] = ("rule", "comment", "baseline")


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that somebody has decided about: by its rule, by a comment on its line, or in the baseline."""

    finding: Finding
    by: Decision
    reason: str
