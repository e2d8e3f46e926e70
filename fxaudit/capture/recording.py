"""What was seen: operations, values, module calls and loop events, as plain data.

Nothing here holds a tensor or a module of the user's alive; identities are kept as indices. While the program runs,
tensors that outlive a step are followed through weak references (`LiveTrack`).
"""

from __future__ import annotations

import weakref
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Protocol

from fxaudit.capture.events import BackwardEvent, GradientState, LoopEvent, StepEvent
from fxaudit.program.course import Course
from fxaudit.program.ran import Ran
from fxaudit.program.source import SourceLine, StackTable

if TYPE_CHECKING:
    import torch

    from fxaudit.capture.lines import Lines

__all__ = [
    "OPERATION",
    "Fact",
    "Heard",
    "HeardLines",
    "LiveRecord",
    "LiveTrack",
    "ModuleCall",
    "NodeFlow",
    "Op",
    "OpsBySequence",
    "Phase",
    "Record",
    "RefusedCall",
    "Size",
    "StepFact",
    "Track",
    "Value",
]

Phase = Literal["forward", "backward", "optimizer"]
Size = tuple[float | None, float | None, float | None]
"""The smallest number of a tensor, the mean and the largest; None for one that is not finite."""


@dataclass(slots=True)
class Value:
    """A tensor as some operation saw or made it.

    `op` is the operation that produced it (-1: it came from outside). `track` is the index of the leaf tensor it is, if
    it is one (-1 otherwise). `zero` and `finite` are known only where values were probed.
    """

    index: int
    op: int
    requires_grad: bool
    leaf: bool
    track: int = -1
    numel: int = 0
    shape: tuple[int, ...] = ()
    floating: bool = True
    zero: bool | None = None
    finite: bool | None = None
    nan: bool = False
    """NaN was seen in it; infinities in masks are meant, NaN never is."""
    looked: int = 0
    """How many events of the loop had been seen when its numbers were looked at."""
    foreign: bool = False
    """It has a `grad_fn` that no recorded operation made."""
    asked: bool = False
    """A scalar of which the program asked, outside every module, whether it carries gradient."""


@dataclass(slots=True)
class Op:
    """One torch call: what it read and made, on which line, in which module call, and in which grad mode.

    `region` is the stack of the line that opened the no-grad region (-1: gradients were enabled). `mutates` are the
    values it wrote in place. `python_inputs` are operations whose Python results it received; those in `inferred` were
    not proved by identity. `inside` is the enclosing `autograd.Function` call. `sequence` brackets the `grad_fn`s it
    made.
    """

    index: int
    name: str
    stack: int
    module: int
    phase: Phase
    inputs: tuple[int, ...]
    outputs: tuple[int, ...] = ()
    mutates: tuple[int, ...] = ()
    numbers: tuple[float, ...] = ()
    grad_enabled: bool = True
    region: int = -1
    python_inputs: tuple[int, ...] = ()
    inside: int = -1
    sequence: tuple[int, int] = (0, 0)
    custom: bool = False
    """A call of a custom `autograd.Function`."""
    hidden: tuple[int, ...] = ()
    """Inputs of a custom function that are none of its arguments, but are read inside of it."""
    detail: str = ""
    whole: tuple[int, ...] | None = None
    """What an assignment through an index put in the place of all that was there: values, or none but numbers."""
    again_of: int = -1
    """It ran when this operation had run just like it, and was recorded when something read what it had made."""

    @property
    def is_masked(self) -> bool:
        """Whether it put something in the place of everything through a mask, which may leave some another time."""
        return self.whole is not None and not set(self.inputs[1:]) <= set(self.whole)


@dataclass(frozen=True, slots=True)
class RefusedCall:
    """A torch call that raised: on which line, what it was given, and what it said."""

    name: str
    stack: int
    inputs: tuple[int, ...]
    error: str


@dataclass(slots=True)
class ModuleCall:
    """One call of a module: which, from where, inside which other call, in which training mode."""

    index: int
    module: int
    stack: int
    parent: int
    training: bool
    time: int = 0


OPERATION = "{operation}"
"""Stands in a sentence for the operation's name as the user wrote it, which the node does not know."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One true sentence about a derivative, without a full stop, and what to do about it ("": nothing certain)."""

    sentence: str
    help: str = ""
    leaves_out: bool = False
    """Whether it says that whole numbers, targets say, leave everything out."""
    masked: bool = False
    """Whether a mask may be behind it: one that keeps the gradient from all that counts, or leaves nothing of a row."""
    given_large: bool = False
    """Whether it says that a layer is given far larger numbers than it is initialised for."""
    in_part: bool = False
    """Whether it is about a part of the gradient: a factor that is 0 at some places, or what is not overwritten."""

    def of(self, operation: str) -> Fact:
        """The same with the operation's name filled in."""
        sentence, advice = (text.replace(OPERATION, f"`{operation}`") for text in (self.sentence, self.help))
        return replace(self, sentence=sentence, help=advice)


@dataclass(slots=True)
class NodeFlow:
    """What went through one autograd node in one backward.

    `incoming` is the state of the gradient at its outputs, `outgoing` that at each of its inputs; `made_by` are the
    recorded operations that produced the outgoing gradients, -1 where torch's own code did; `facts` say, by input, why
    the gradient that is handed on there became zero or stopped being finite, where that is known.
    """

    name: str
    sequence: int
    track: int = -1
    incoming: GradientState = "none"
    outgoing: list[GradientState] = field(default_factory=list)
    made_by: list[int] = field(default_factory=list)
    facts: dict[int, Fact] = field(default_factory=dict)
    visited: bool = False
    came: float = 0.0
    """The 2-norm of all that came in; NaN where some of it is not finite."""
    handed: list[float] = field(default_factory=list)
    """The 2-norm of what it handed on at each input; NaN where that is not finite, or is nothing."""


@dataclass(slots=True)
class StepFact:
    """What one optimizer step did to one tensor."""

    event: int
    optimizer: int
    group: int
    lr: float | None
    gradient: GradientState
    norm: float
    changed: bool
    change: float = 0.0
    lost: bool | None = None
    """Before the next step the tensor was bit for bit what it had been before this one; None while not known."""
    written_outside: bool = False
    """Between this step and the next something else wrote the tensor."""
    last_backward: int = -1


UNITS = {"float32": 2.0**-23, "float64": 2.0**-52}
"""One unit in the last place of 1, by dtype."""
NOISE = 128
"""A sum of so many units of its summands' sizes, or fewer, is what rounding leaves: each has a few of its own."""


@dataclass(slots=True)
class Track:
    """A leaf tensor that is followed by identity: a parameter, or something an optimizer holds."""

    index: int
    shape: tuple[int, ...]
    dtype: str
    numel: int
    created: int = -1
    """Stack of the line that made it, where that was watched."""
    created_time: int = -1
    is_parameter: bool = False
    is_leaf: bool = True
    share_of_sum: float | None = None
    """The largest share that its gradient ever had of the sizes of what was summed up for it; None: not a mere sum."""
    requires_grad: bool = True
    ever_required_grad: bool = False
    values: list[int] = field(default_factory=list)
    facts: list[StepFact] = field(default_factory=list)
    hand_updates: int = 0
    """How often its value changed between two backwards without a torch optimizer, with a gradient there."""
    put_back: tuple[int, int, bool] = (0, 0, False)
    """How often its old value came back, with steps in between; after how many steps the last time; and whether it was
    the one before the first step."""
    drawn_anew: bool = False
    """What came back instead of it was drawn at random, each time anew."""
    hand_gradient: bool = False
    """The program wrote its `.grad` itself."""
    asked: float = 0.0
    """The largest norm of the finite gradients that `autograd.grad` returned for it, while no optimizer held it."""
    freezes: list[tuple[int, bool, int]] = field(default_factory=list)
    """(time, requires_grad, stack) of each change of `requires_grad` seen."""
    registered: list[tuple[int, int, str, int, bool]] = field(default_factory=list)
    """(time, module, slot, stack, inside a module call) of each registration seen."""
    hooks: list[int] = field(default_factory=list)
    """Stacks at which a gradient hook was put on it."""
    cleared: int = 0
    contributions: int = 0
    """Backwards that added to the gradient since it was last cleared."""
    used: int = 0
    """Of those, how many an optimizer step has used already."""
    reused_at: list[int] = field(default_factory=list)
    """Events of steps that used a gradient an earlier step had used."""
    arrivals: int = 0
    """Backwards that brought it a gradient, whatever was cleared in between."""
    written: int = 0
    """How often the program wrote its `.grad` itself."""
    last_stepped: tuple[int, ...] = ()
    """The gradient that the last step used, so that it is known again: object, version, arrivals, cleared, written."""
    stale_at: list[int] = field(default_factory=list)
    """Events of the last steps in a row to which no gradient but an earlier step's was there."""

    # What the tensor was like when the recording was frozen.
    is_alive: bool = False
    size: float | None = None
    """The 2-norm of its value; of what an optimizer stepped, where it is finite."""
    variable: str = ""
    """The variable that a scope holds it in."""
    is_meta: bool = False
    """It has no values, only a shape."""
    is_elsewhere: bool = False
    """It is sharded over several processes, and this one holds no element of it."""
    is_constant: bool = False
    """All its elements are one number, and not zero; asked only where a gradient was zero."""
    flags: dict[str, bool] = field(default_factory=dict)
    """Attributes that the program gave it, and that are True or False."""
    cut_before: SourceLine | None = None
    """The line that cuts it off from a loss computed before anybody watched, where an earlier block recorded it."""

    @property
    def is_rounding_noise(self) -> bool:
        """Whether each gradient was what rounding leaves of a sum that is zero: a few units in the last place of its
        summands. In half precision that cannot be told from a small gradient."""
        unit = UNITS.get(self.dtype)
        return unit is not None and self.share_of_sum is not None and self.share_of_sum < NOISE * unit


@dataclass(slots=True)
class LiveTrack(Track):
    """A track with a weak reference to its tensor."""

    ref: weakref.ref[torch.Tensor] = field(kw_only=True)


class Heard(Protocol):
    """The lines of the user's files as they ran."""

    is_whole: bool

    def ran(self) -> dict[str, set[int]]:
        """File → the lines that ran."""


@dataclass(slots=True)
class HeardLines:
    """The lines that were heard, when nobody listens any more."""

    files: dict[str, set[int]]
    is_whole: bool
    nothing_raised: bool = False
    """Of all checks on the way each was passed: a trace went to its end."""

    def ran(self) -> dict[str, set[int]]:
        """File → the lines that ran."""
        return self.files


@dataclass
class Record:
    """Everything seen so far. `time` counts events and operations together, so that either can be ordered."""

    stacks: StackTable = field(default_factory=StackTable)
    ops: list[Op] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    calls: list[ModuleCall] = field(default_factory=list)
    events: list[LoopEvent] = field(default_factory=list)
    tracks: Sequence[Track] = field(default_factory=list)
    sizes: dict[int, dict[str, Size | None]] = field(default_factory=dict)
    """Stack → name of an operation → how large the numbers were that it made there, when it did so first."""
    scopes: dict[int, dict[int, dict[str, object]]] = field(default_factory=dict)
    """Stack → operation → the numbers that the variables held there, of what is multiplied with 0."""
    refused: list[RefusedCall] = field(default_factory=list)
    """The calls that raised; the program may have gone on all the same."""
    lines: Heard | None = None
    """The lines of the user's files as they ran; None where nobody listened."""
    course: Course = field(default_factory=Course)
    """What the statements of the user's files read and bound."""

    def ran(self) -> Ran:
        """The lines that ran: those that were heard, and those that recorded calls came through."""
        found = self.stacks.lines_seen()
        for file, lines in self.lines.ran().items() if self.lines is not None else ():
            found.setdefault(file, set()).update(lines)
        nothing_raised = isinstance(self.lines, HeardLines) and self.lines.nothing_raised
        return Ran(found, is_whole=self.lines is not None and self.lines.is_whole, nothing_raised=nothing_raised)

    @property
    def time(self) -> int:
        """The moment now: the index the next operation will have."""
        return len(self.ops)

    def maker(self, vid: int) -> Op | None:
        """The operation that made a value; None where it came from outside."""
        made = self.values[vid].op
        return self.ops[made] if made >= 0 else None

    def track_of(self, vid: int) -> Track | None:
        """The leaf tensor that a value is; None where it is none."""
        track = self.values[vid].track
        return self.tracks[track] if track >= 0 else None

    def backwards(self) -> list[BackwardEvent]:
        """The backwards that accumulate gradients, in order."""
        return [e for e in self.events if isinstance(e, BackwardEvent) and e.accumulates]

    def steps(self) -> list[StepEvent]:
        """The optimizer steps, in order."""
        return [e for e in self.events if isinstance(e, StepEvent)]


@dataclass
class LiveRecord(Record):
    """A record that is being written, while its tensors live."""

    tracks: list[LiveTrack] = field(default_factory=list)
    lines: Lines | None = None


class OpsBySequence:
    """Finds the operation that made an autograd node, by the node's sequence number."""

    def __init__(self, ops: Sequence[Op]) -> None:
        made = [
            (op.sequence[0], op.sequence[1], op.index)
            for op in ops
            if op.sequence[1] > op.sequence[0] and op.inside < 0
        ]
        made.sort()
        self._starts = [start for start, _, _ in made]
        self._made = made

    def find(self, sequence: int) -> int:
        """The index of the operation, or -1."""
        position = bisect_right(self._starts, sequence) - 1
        while position >= 0:
            start, end, op = self._made[position]
            if start <= sequence < end:
                return op
            if start + 4096 < sequence:
                break
            position -= 1
        return -1
