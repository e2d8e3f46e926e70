"""The answer of an audit: one frozen value that collectors write once and renderers only read.

An answer never refers to a live tensor, module or graph. Whatever a renderer needs is in here, and all of it
survives being written as JSON and read again, which needs neither torch nor the audited files. `fxaudit.Report` is this
value with its forms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar, get_args

from fxaudit.answer.finding import LEVELS, Finding, Level, Patch, PathStep, Suppressed
from fxaudit.answer.picture_data import GraphData
from fxaudit.answer.summary import summary
from fxaudit.errors import UnknownParameterError
from fxaudit.program.source import SourceLine

__all__ = [
    "LIFE_KINDS",
    "VERDICTS",
    "Answer",
    "Change",
    "Event",
    "Gradient",
    "Holder",
    "LifeEvent",
    "LifeKind",
    "Movement",
    "OptimizerReport",
    "ParameterReport",
    "RuleInfo",
    "StepReport",
    "SymbolicReport",
]

Verdict = Literal[
    "trained", "unreachable", "replaced", "excluded", "frozen", "blocked", "unregistered", "stale", "unknown"
]
VERDICTS: tuple[Verdict, ...] = (
    "trained",
    "unreachable",
    "replaced",
    "excluded",
    "blocked",
    "unregistered",
    "stale",
    "unknown",
    "frozen",
)


Form = TypeVar("Form", bound="Answer")


@dataclass(frozen=True, slots=True)
class Holder:
    """A param group that holds a parameter: the optimizer's name in the report and the group's index."""

    optimizer: str
    group: int


@dataclass(frozen=True, slots=True)
class Gradient:
    """What a backward delivered to a parameter; `norm` is the 2-norm, None where it was not measured."""

    state: Literal["none", "zero", "finite", "nonfinite", "unknown"] = "unknown"
    norm: float | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Whether the value differs after the optimizer's step; `norm` is the 2-norm of the difference."""

    state: Literal["changed", "unchanged", "unknown"] = "unknown"
    norm: float | None = None


LifeKind = Literal["made", "registered", "frozen", "thawed", "held", "hooked", "gradient", "stepped", "ended"]
LIFE_KINDS: tuple[LifeKind, ...] = get_args(LifeKind)


@dataclass(frozen=True, slots=True)
class LifeEvent:
    """What happened to a parameter: its kind, in words, on which line, and in which training step (0: before them)."""

    kind: LifeKind
    text: str
    source: SourceLine | None = None
    step: int = 0

    def __str__(self) -> str:
        where = f"  {self.source}" if self.source is not None else ""
        return self.text + where + (f" (step {self.step})" if self.step else "")


@dataclass(frozen=True, slots=True)
class ParameterReport:
    """Everything the audit knows of one parameter.

    `reached_in` counts the recorded steps whose loss reaches it, out of `steps`. `culprit` is the line to blame, None
    where nothing is wrong or no line is known. `path` is its own way to the loss; it is empty where nothing is wrong,
    and for all but the first parameters of a cause that has very many.
    `norm` is the 2-norm of its value in the end, None where no step was seen. `frozen_at` is the line that froze it,
    where it is frozen and that was seen. `life` is what happened to it, in
    order.
    """

    name: str
    verdict: Verdict
    reason: str
    shape: tuple[int, ...] = ()
    numel: int = 0
    dtype: str = ""
    requires_grad: bool = True
    held_by: tuple[Holder, ...] = ()
    gradient: Gradient = Gradient()
    change: Change = Change()
    identity: Literal["same", "swapped"] = "same"
    reached_in: int = 0
    steps: int = 0
    findings: tuple[Finding, ...] = ()
    culprit: SourceLine | None = None
    path: tuple[PathStep, ...] = ()
    module_type: str = ""
    frozen_at: SourceLine | None = None
    life: tuple[LifeEvent, ...] = ()
    norm: float | None = None

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.verdict}, {self.reason}"]
        return "\n".join([*lines, *(f"  {event}" for event in self.life)])


@dataclass(frozen=True, slots=True)
class OptimizerReport:
    """An optimizer: its name in the report, its class, the line that built it, and its param groups.

    `groups` holds, for each group, the learning rate and the names of the parameters it holds.
    """

    name: str
    type: str
    source: SourceLine | None
    groups: tuple[tuple[float | None, tuple[str, ...]], ...]
    steps: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """Something the loop did: `kind` is `forward`, `backward`, `step`, `zero_grad`, `clip`, `scaler`, `scheduler`, …

    `optimizers` names those that it concerns: the one that steps, or all that hold a tensor that it is done to.
    """

    kind: str
    text: str
    source: SourceLine | None = None
    count: int = 1
    optimizers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Movement:
    """What one step did to a param group: the rate then, and the 2-norms of its gradients and of its change.

    `changed` of its `parameters` have another value after it. A norm is None where it is not known or not finite.
    """

    optimizer: str
    group: int
    rate: float | None = None
    norm: float | None = None
    change: float | None = None
    changed: int = 0
    parameters: int = 0


@dataclass(frozen=True, slots=True)
class StepReport:
    """The events between two moments at which parameters change, and what the optimizers did to their groups there.

    `loss` is the number that its first `backward` begins at; None where there is none, or it is not known.
    """

    events: tuple[Event, ...]
    movements: tuple[Movement, ...] = ()
    loss: float | None = None


SETTLED = "what ran settles every parameter"
"""Why no trace was made beside a run that leaves nothing open."""


@dataclass(frozen=True, slots=True)
class SymbolicReport:
    """How far the symbolic trace came, or why none was made."""

    status: Literal["traced", "stopped", "skipped"] = "skipped"
    reason: str = ""
    source: SourceLine | None = None


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """A rule's metadata, as renderers and `explain` need it."""

    code: str
    name: str
    level: Level
    title: str
    rationale: str
    fix: str


@dataclass(frozen=True, slots=True)
class Crash:
    """Where the watched script died: the innermost line of the user's own, and in which training step.

    `step` counts from 1; 0 where the recording had ended before, so that nobody counted.
    """

    source: SourceLine | None = None
    step: int = 0

    def __str__(self) -> str:
        when = f" in step {self.step}" if self.step else ""
        where = f" at {self.source}" if self.source is not None else ""
        return f"Crashed{when}{where}"


@dataclass(frozen=True)
class Answer:
    """The answer of an audit: a verdict for every parameter, and a finding for every cause.

    Iterating gives the parameter reports; `report["encoder.weight"]` is one of them.
    """

    parameters: Mapping[str, ParameterReport] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    optimizers: tuple[OptimizerReport, ...] = ()
    steps: tuple[StepReport, ...] = ()
    symbolic: SymbolicReport = SymbolicReport()
    graph_data: GraphData = field(default_factory=GraphData, repr=False)
    rules: tuple[RuleInfo, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """What could not be seen, in sentences."""
    title: str = ""
    """What was audited: the script's or the model's name."""
    script_exit: str | None = None
    """How the watched script ended, when it did not end by itself with success: its exit code or exception."""
    traceback: str | None = None
    """The watched script's own traceback, if it died."""
    crash: Crash | None = None
    """Where it died, if an exception ended it."""
    fail_on: Level = "error"
    audited: bool = True
    """False when nothing could be audited at all."""
    patch: Patch | None = None
    """All findings mended together, where that was asked for and there is more than one to join."""
    suppressed: tuple[Suppressed, ...] = ()
    """The findings that somebody has decided about; they are in no form of the report but JSON and SARIF."""

    @property
    def ok(self) -> bool:
        """Whether nothing at or above `fail_on` was found (and something could be audited)."""
        return self.exit_code == 0

    @property
    def exit_code(self) -> int:
        """0 nothing at or above `fail_on` · 1 findings · 3 nothing could be audited and there is no finding either."""
        loud = LEVELS[: LEVELS.index(self.fail_on) + 1]
        if any(finding.level in loud for finding in self.findings):
            return 1
        return 0 if self.audited else 3

    def failing_on(self: Form, level: Level) -> Form:
        """The same report, judged by another `fail_on` level."""
        return replace(self, fail_on=level)

    def __getitem__(self, name: str) -> ParameterReport:
        try:
            return self.parameters[name]
        except KeyError:
            near = [known for known in self.parameters if name in known or known.endswith(name)][:3]
            hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
            raise UnknownParameterError(f"The report lists no parameter {name!r}.{hint}") from None

    def __iter__(self) -> Iterator[ParameterReport]:
        return iter(self.parameters.values())

    def __len__(self) -> int:
        return len(self.parameters)

    def verdicts(self) -> dict[str, int]:
        """How many parameters have each verdict, in the order of `VERDICTS`, zeros left out."""
        counts = {verdict: 0 for verdict in VERDICTS}
        for parameter in self:
            counts[parameter.verdict] += 1
        return {verdict: count for verdict, count in counts.items() if count}

    @property
    def summary(self) -> str:
        """The verdict in one sentence; of a script that crashed, where, and what had been true until then."""
        return summary(self)
