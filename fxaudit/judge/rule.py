"""What a rule is, and what it sees.

A rule is one defect: its code, prose, examples and logic in one small file of `fxaudit.judge.rules`. It is asked once
for every audit and yields findings; it sees the audited steps, their graph and the verdicts, never torch.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from fxaudit.answer.answer import VERDICTS, Verdict
from fxaudit.answer.finding import Finding, Level, PathStep, Related
from fxaudit.answer.folding import fold_sentence
from fxaudit.capture import operations
from fxaudit.capture.events import BackwardEvent, ScalerStepEvent, StepEvent
from fxaudit.judge.beside import Beside
from fxaudit.judge.graph import Cut, StepGraph, UnusedValue
from fxaudit.judge.norms import Norms
from fxaudit.judge.trail import project_files
from fxaudit.judge.vanishing import nonfinite_fact, nonfinite_origin
from fxaudit.judge.verdict import Judge, ParameterState
from fxaudit.program.bindings import object_name
from fxaudit.program.source import SourceLine, is_library, is_skipped, read_source
from fxaudit.program.tree import binding_of, tree_of

if TYPE_CHECKING:
    from fxaudit.capture.frozen import Recording
    from fxaudit.capture.recording import Op, Record
    from fxaudit.capture.registry import ModuleInfo

__all__ = ["ANOTHER_BATCH", "Audit", "Example", "Rule", "related_lines"]

ANOTHER_BATCH = "Give the audit another batch, or watch some steps of the loop, which shows more of them."
"""The fix of what only one batch left out."""


@dataclass(frozen=True)
class Example:
    """A program for a rule: what `audit` takes, or a loop to be watched.

    `loss` is a closure; `train` runs a loop of its own and is watched instead of audited. Exactly one of them is given.
    """

    model: Any = None
    loss: Callable[[], Any] | None = None
    optimizer: Any = None
    train: Callable[[], Any] | None = None
    expect: Mapping[str, str] | None = None


@dataclass
class Audit:
    """What was recorded and judged, and the questions rules ask of it."""

    judge: Judge
    symbolic: tuple[str, str, SourceLine | None] = ("skipped", "", None)
    expect: Mapping[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Sentences on what could not be judged."""
    _names_of: dict[int, dict[int, str]] = field(default_factory=dict)
    """Root → module → its first path."""

    @property
    def recording(self) -> Recording:
        """All that was seen."""
        return self.judge.recording

    @property
    def record(self) -> Record:
        """The recorded operations and loop events."""
        return self.judge.record

    @property
    def graph(self) -> StepGraph:
        """Data and gradient edges between the recorded values."""
        return self.judge.graph

    @cached_property
    def norms(self) -> Norms:
        """How large the gradients between operations were, where that was measured."""
        return Norms(self.recording)

    @cached_property
    def _beside(self) -> Beside:
        return Beside(self.graph)

    @property
    def states(self) -> list[ParameterState]:
        """Every parameter with its verdict."""
        return self.judge.states

    @property
    def project_files(self) -> list[str]:
        """The user's own files."""
        return project_files(self.record)

    def having(self, *verdicts: Verdict) -> list[ParameterState]:
        """The parameters with one of the verdicts."""
        return [state for state in self.states if state.verdict in verdicts]

    def unexplained(self, *verdicts: Verdict, unrecorded: bool = False) -> list[ParameterState]:
        """Those of them for which no earlier rule has given the cause.

        Where nobody recorded the forward, nothing that is absent from the record is evidence: what the loss does not
        reach is then left to the rule that asks for the `unrecorded`.
        """
        states = [state for state in self.having(*verdicts) if not state.explained]
        if self.recording.forward_unseen and not unrecorded:
            return [state for state in states if state.verdict != "unreachable"]
        return states

    def starved(self) -> list[ParameterState]:
        """Those of unknown verdict that the one batch seen left out, and of which no earlier rule has told."""
        return [state for state in self.having("unknown") if state.is_starved and not state.explained]

    def book(self, finding: Finding, rule: type[Rule], *, is_told: bool = True) -> None:
        """Note that `rule` has given a cause: the parameters that it explains count as explained from here on.

        What is meant is not told.
        """
        if is_told:
            self.findings.append(finding)
        named = set(finding.parameters)
        for state in self.states:
            if state.name in named and state.verdict in rule.explains:
                state.explained.append(rule.code)

    def source(self, stack: int) -> SourceLine | None:
        """The line in which `stack` ends."""
        return self.record.stacks.source(stack)

    def op_source(self, index: int) -> SourceLine | None:
        """The line of a recorded operation."""
        return self.source(self.record.ops[index].stack) if index >= 0 else None

    def cause(self, state: ParameterState) -> Cut | UnusedValue | None:
        """What ends the way from an unreachable parameter to the loss: the first cut, or the dead end before it."""
        cuts = self.graph.cuts(state.index)
        certain = [cut for cut in cuts if not cut.inferred]
        if not certain and self.graph.hidden_reader(state.index) is not None:
            return None  # what a custom function reads without being given it needs no guess
        certain = certain or cuts
        if len(certain) > 1:
            certain = [cut for cut in certain if self.graph.ends_gradient(cut, state.index)] or certain
        dead = self.graph.dead_end(state.index)
        leading = [cut for cut in certain if self.graph.leads_on(cut)]
        if certain and not leading:
            # What would pass no gradient on anyway is not what stops it.
            if self.graph.hidden_reader(state.index) is not None:
                return None
            if dead is not None and self.is_thrown_away(dead):
                return dead
        certain = leading or certain
        if len(certain) > 1:
            own = self._own_losses(state)
            certain = [cut for cut in certain if self.graph.leads_to(cut, own)] or certain
        is_dead = dead is not None and self.is_thrown_away(dead) and not self._is_dropped(dead)
        is_cut = any(self._is_made_beside(dead, cut) for cut in certain) if dead is not None else False
        if is_dead and certain and all(cut.kind == "no_grad" for cut in certain) and not is_cut:
            return dead  # a region without gradients is mostly meant, as in an EMA or a rollout; this never is
        term = self._unused_term(state) if any(cut.kind == "detached" for cut in certain) else None
        if term is not None:
            return term  # a detach in another term is meant: this one was to train the parameter
        # Slopes taken as numbers are often meant, as in first-order meta-learning; a detach beside them is not.
        certain = [cut for cut in certain if self.record.ops[cut.op].name not in ("grad", "autograd.grad")] or certain
        if certain and dead is not None and certain[0].kind in ("non_differentiable", "left_torch"):
            # An argmax in the path is often meant; a custom function whose result nobody uses never is.
            op = self.record.ops[dead.op]
            is_loss = dead.value in self.graph.losses
            same = op.index == certain[-1].op
            outputs = (dead.value,) if same else op.outputs
            unused = not is_loss and not any(self.graph.consumers.get(out) for out in outputs)
            later = op.index > certain[-1].op or (same and self._is_bound(dead))
            if unused and self.record.values[dead.value].requires_grad and (op.custom or later):
                return dead
        if certain:
            return self._foremost(certain)
        return dead or self.graph.last_escape(state.index)

    def _own_losses(self, state: ParameterState) -> frozenset[int]:
        """The losses that were differentiated before a step of an optimizer that holds the parameter, after all that
        was stepped before."""
        return frozenset(vid for index, _ in state.held for vid in self._losses_stepped.get(index, ()))

    @cached_property
    def _losses_stepped(self) -> dict[int, set[int]]:
        """Optimizer → the losses that were differentiated for its steps."""
        found: dict[int, set[int]] = {}
        since: list[int] = []
        is_stepped = False
        for event in self.record.events:
            if isinstance(event, BackwardEvent) and event.accumulates:
                since = [*(() if is_stepped else since), *event.roots]
                is_stepped = False
            elif isinstance(event, StepEvent):
                found.setdefault(event.optimizer, set()).update(since)
                is_stepped = True
        return found

    def is_thrown_away(self, dead: UnusedValue) -> bool:
        """Whether no part of a loss is computed from the value, though it could carry gradient."""
        return self.record.values[dead.value].requires_grad and not any(
            out in self.graph.reaching
            for out in (dead.value, *(out for op in self.graph.consumers.get(dead.value, ()) for out in op.outputs))
        )

    def _unused_term(self, state: ParameterState) -> UnusedValue | None:
        """A single number that carries gradient back to the parameter, and that nobody uses, where it stands beside
        terms of the loss."""
        values = self.record.values
        for vid in sorted(self.graph.carried([state.index])):
            value = values[vid]
            is_one = value.numel == 1 and value.op >= 0 and value.requires_grad and vid not in self.graph.reaching
            dead = UnusedValue(value.op, vid) if is_one else None
            if dead is not None and self.is_thrown_away(dead) and self._is_one_of_the_terms(dead):
                return dead
        return None

    def _is_one_of_the_terms(self, dead: UnusedValue) -> bool:
        """Whether the value is a single number that stands in a dictionary beside terms of the loss."""
        op, stacks = self.record.ops[dead.op], self.record.stacks
        if self.record.values[dead.value].numel != 1 or op.stack < 0:
            return False
        file, tree = stacks.file(op.stack), tree_of(stacks.file(op.stack))
        statement = tree.statement_at(stacks.line(op.stack)) if tree is not None else None
        displays = [node for node in ast.walk(statement) if isinstance(node, ast.Dict)] if statement is not None else []
        lines = {line for node in displays for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
        makers = (self.record.values[vid].op for vid in self.graph.reaching if self.record.values[vid].numel == 1)
        stands = {self.record.ops[made].stack for made in makers if made >= 0} if lines else set()
        return any(s >= 0 and stacks.file(s) == file and stacks.line(s) in lines for s in stands)

    def _is_dropped(self, dead: UnusedValue) -> bool:
        """Whether the statement drops the value at once, so that nobody meant to use it."""
        stack, stacks = self.record.ops[dead.op].stack, self.record.stacks
        return stack >= 0 and binding_of(stacks.file(stack), stacks.line(stack)).kind == "discarded"

    def _foremost(self, cuts: list[Cut]) -> Cut:
        """The first cut; of several in the same call of a module a detach before what cannot have a gradient.

        `q + (z - q).detach()` was meant to lead gradient round the `argmin`, and a scale read by `float(w.max())` is
        not what stops the weight that is quantised with it. A detach, or a new tensor made of numbers, that leaves a
        term of the loss without any gradient comes before one beside which something carries it. A target is rightly
        detached: what is measured against one, and detached, comes before that.
        """
        ranks = {"detached": 0, "non_differentiable": 1, "left_torch": 2}
        first = self._beside.nearest(cuts) if all(cut.kind == "no_grad" for cut in cuts) else cuts[0]
        detached = [cut for cut in cuts if cut.kind in ("detached", "rewrapped")]
        if len(detached) > 1 and all(cut.kind in ranks or cut.kind == "rewrapped" for cut in cuts):
            emptying = [cut for cut in detached if self.graph.empties_term(cut)]
            if emptying:
                return emptying[0]
            measured = next((cut for cut in detached if self._is_at(cut, 0)), None)
            if measured is not None and self._is_at(first, 1):
                return measured
        if first.kind not in ("non_differentiable", "left_torch"):
            return first
        module = self.record.ops[first.op].module
        beside = [c for c in cuts if c.kind in ranks and self.record.ops[c.op].module == module >= 0]
        return min(beside, key=lambda cut: (ranks[cut.kind], cut.op), default=first)

    def _is_at(self, cut: Cut, position: int) -> bool:
        """Whether what comes out of the cut is at once the argument at that position of a loss that measures how far
        one thing is from another."""
        outputs = self.record.ops[cut.op].outputs
        readers = [op for out in outputs for op in self.graph.consumers.get(out, ())]
        return any(operations.of(op.name).measures and op.inputs[position] in outputs for op in readers)

    def _is_made_beside(self, dead: UnusedValue, cut: Cut) -> bool:
        """Whether one call of a library makes the value and what goes into the region: a distribution makes more of
        what it is given than a draw needs, be it to check that."""
        made = self.record.values[cut.value].op
        return made not in (-1, dead.op) and self.record.ops[made].stack == self.record.ops[dead.op].stack >= 0

    def _is_bound(self, dead: UnusedValue) -> bool:
        """Whether the program gives the value a name, beside the operation's other results: `weight, index = p.max(1)`.

        A name that begins with an underscore says that it is not wanted.
        """
        op = self.record.ops[dead.op]
        stacks = self.record.stacks
        binding = binding_of(stacks.file(op.stack), stacks.line(op.stack), stacks.column(op.stack))
        position = op.outputs.index(dead.value)
        return len(binding.names) == len(op.outputs) > 1 and not binding.names[position].startswith("_")

    def names(self, states: Sequence[ParameterState], one: str = "", more: str = "") -> str:
        """The parameters' names, folded, as they stand in a sentence, and the verb that follows: `one` or `more`."""
        named = fold_sentence([state.name for state in states], [state.name for state in self.states], limit=1)
        return f"{named} {one if len(states) == 1 else more}".rstrip()

    def optimizer_variable(self, index: int) -> str:
        """The variable that the program keeps an optimizer in; "" where none is known."""
        info = self.recording.optimizers[index]
        return info.name or info.variable or object_name(self.record.stacks, info.created)

    def called(self, optimizer: int, article: str = "") -> str:
        """How a sentence calls an optimizer: by its class, and by its variable where that tells it from others of the
        class."""
        info = self.recording.optimizers[optimizer]
        alike = [o.index for o in self.recording.optimizers if o.type == info.type and o.wrapper_of < 0]
        name = self.optimizer_variable(optimizer)
        tells = len(alike) > 1 and name and [self.optimizer_variable(index) for index in alike].count(name) == 1
        return f"`{name}` (`{info.type}`)" if tells else f"{article}`{info.type}`"

    def model_variable(self, states: Iterable[ParameterState]) -> str:
        """The variable that the program keeps the root module of all of them in; "" where none is known."""
        roots = {state.root.index: state.root for state in states if state.root is not None}
        if len(roots) != 1:
            return ""
        (info,) = roots.values()
        return info.variable or object_name(self.record.stacks, info.created)

    def is_skipped_for_nan(self, state: ParameterState) -> bool:
        """Whether a gradient scaler skips each of its steps, rightly: the loss itself is NaN or infinite, or its
        gradient is at any scale."""
        skips = [e for e in self.record.events if isinstance(e, ScalerStepEvent) and e.skipped]
        if state.facts or not any(state.index in event.tracks for event in skips):
            return False
        return self.graph.is_spoilt or self._is_singular

    @cached_property
    def _is_singular(self) -> bool:
        """Whether a backward makes what is not finite of what is, at an operation of which it is known why."""
        for probe in self.recording.probes:
            time = self.record.events[probe.event].time - 1
            index, phase, is_sure = nonfinite_origin(self.record, probe, time)
            if phase == "backward" and is_sure and nonfinite_fact(self.record, probe, index) is not None:
                return True
        return False

    def is_held(self, states: Iterable[ParameterState]) -> bool:
        """Whether an optimizer holds any of them."""
        return any(state.held for state in states)

    def is_library_made(self, states: Iterable[ParameterState]) -> bool:
        """Whether an installed library that the user's own code calls made all of them.

        What the loss leaves unused of such a model (a pooler, a second head) is the library's default, and no mistake.
        A part of a library of which nothing is used was put there, and left unused, by the user's own model.
        """
        stacks = self.record.stacks
        for state in states:
            if not self._is_used_in_part(state):
                return False
            chain = stacks.chain(state.track.created)
            if not chain and self._is_of_library_class(state):
                continue  # it was made before anybody watched
            if not chain or not is_library(stacks.file(chain[0])):
                return False
            if all(is_library(stacks.file(frame)) for frame in chain):
                return False  # the user's own program is an installed package
        return True

    def _is_of_library_class(self, state: ParameterState) -> bool:
        """Whether a module of an installed library, other than torch, has the parameter somewhere below an attribute
        that the library itself sets, and a program that is no library itself trains it."""
        module = state.root
        for part in state.local_name.split(".")[:-1]:
            if module is None:
                return False
            if is_library(module.defined_in) and not is_skipped(module.defined_in):
                sets = f"self.{part} ="
                return self._is_trained_by_the_user() and any(sets in line for line in read_source(module.defined_in))
            module = self.recording.child(module, part)
        return False

    def _is_trained_by_the_user(self) -> bool:
        stacks = self.record.stacks
        frames = [frame for event in self.graph.backwards[:1] for frame in stacks.chain(event.stack)]
        return any(not is_library(stacks.file(frame)) for frame in frames)

    def _is_used_in_part(self, state: ParameterState) -> bool:
        """Whether the loss reaches something else of the outermost library module that the parameter belongs to."""
        module = state.root
        parts = state.local_name.split(".")[:-1]
        depth = 0
        while module is not None and not is_library(module.defined_in) and depth < len(parts):
            module = self.recording.child(module, parts[depth])
            depth += 1
        prefix = "".join(f"{part}." for part in parts[:depth])
        return any(
            other.verdict != "unreachable" and other.root is state.root and other.local_name.startswith(prefix)
            for other in self.states
        )

    def path(self, state: ParameterState, end: int = -1) -> tuple[PathStep, ...]:
        """The stations from the parameter towards the loss."""
        steps = [PathStep("parameter", state.name, carries_gradient=state.requires_grad)]
        cuts = {cut.op: cut for cut in self.graph.cuts(state.index)} if state.verdict == "unreachable" else {}
        alive = state.requires_grad
        before = -1
        reaches = self.graph.reaches_by_data(state.index)
        for index in self.graph.path(state.index):
            op = self.record.ops[index]
            if not reaches and self._is_upkeep(op):
                continue
            kind: Any = "operation"
            if index in cuts and alive:
                kind = "python" if op.detail == "escape" else "cut"
                alive = False
            elif (
                state.verdict == "unreachable"
                and alive
                and not any(self.record.values[out].requires_grad for out in op.outputs)
            ):
                alive = False
            norm = self.norms.of_leaf(state.index, index) if before < 0 else self.norms.between(before, index)
            before = index
            steps.append(PathStep(kind, op.name, self.module_name(op.module), self.source(op.stack), alive, norm))
        norm = self.norms.at_root(before) if before >= 0 else None
        steps.append(
            PathStep("loss", "loss", carries_gradient=alive, norm=norm)
            if reaches
            else PathStep("end", "unused", carries_gradient=False)
        )
        return tuple(steps)

    def _is_upkeep(self, op: Op) -> bool:
        """Whether it ran before all modules and passes no gradient on, as what a wrapper copies when it is built."""
        first = next((near.index for near in self.record.ops if near.module >= 0), -1)
        return op.index < first and not any(self.record.values[out].requires_grad for out in op.outputs)

    def module_name(self, call: int) -> str:
        """The fully-qualified name of the module that a recorded call belongs to."""
        if call < 0:
            return ""
        index = self.record.calls[call].module
        for model in self.recording.models:
            known = self._module_names(model.root)
            if index in known:
                return (model.prefix + known[index]).rstrip(".")
        return ""

    def _module_names(self, root: ModuleInfo) -> dict[int, str]:
        if root.index not in self._names_of:
            self._names_of[root.index] = {module.index: path for path, module in self.recording.below(root)}
        return self._names_of[root.index]


class Rule:
    """Base of all rules. The first sentence of the docstring is the title, the rest the rationale."""

    code: ClassVar[str] = ""
    name: ClassVar[str] = ""
    level: ClassVar[Level] = "error"
    fix: ClassVar[str] = ""
    explains: ClassVar[frozenset[Verdict]] = frozenset(VERDICTS) - {"trained"}
    """The verdicts of which its findings are the cause: for these parameters no later rule is asked."""

    has_neutral_form: ClassVar[bool] = False
    """The culprit's call can be made to pass its input on, so that running without it proves the claim."""
    needs_a_run: ClassVar[bool] = False
    """It asks about the loop or about values: where nothing ran, there is nothing to ask."""
    asks_where_made: ClassVar[bool] = False
    """It is told only where somebody watched the model and the optimizer being made."""
    may_be_meant: ClassVar[bool] = False
    """What no optimizer holds is taken for intended; where no optimizer was given, nobody knows: a warning."""

    def check(self, audit: Audit) -> Iterator[Finding]:
        """Yield a finding for every occurrence of the defect."""
        raise NotImplementedError  # every rule of fxaudit.judge.rules overrides it; a plug-in that forgets is told so

    @staticmethod
    def bad() -> Example:
        """A program that has the defect; its culprit line ends with the rule's code as a comment."""
        raise NotImplementedError

    @staticmethod
    def good() -> Example:
        """The same program, repaired."""
        raise NotImplementedError

    @classmethod
    def title(cls) -> str:
        """The first sentence of the docstring."""
        return _prose(cls)[0]

    @classmethod
    def rationale(cls) -> str:
        """The rest of the docstring."""
        return _prose(cls)[1]

    def finding(
        self,
        audit: Audit,
        states: Iterable[ParameterState],
        message: str,
        culprit: SourceLine | None,
        *,
        related: Iterable[tuple[SourceLine | None, str]] = (),
        level: Level | None = None,
        fix: str | None = None,
        extra: Iterable[str] = (),
        fact: str | None = None,
    ) -> Finding:
        """A finding of this rule about `states`."""
        concerned = list(states)
        return Finding(
            code=self.code,
            name=self.name,
            level=level or self.level,
            message=message,
            fix=fix or self.fix,
            parameters=tuple(state.name for state in concerned) + tuple(extra),
            culprit=culprit,
            related=related_lines(culprit, related),
            path=audit.path(concerned[0]) if concerned else (),
            fact=fact,
        )


def related_lines(culprit: SourceLine | None, related: Iterable[tuple[SourceLine | None, str]]) -> tuple[Related, ...]:
    """The first three of the lines that are known, each once, and not the culprit's."""
    told = {(culprit.file, culprit.line)} if culprit is not None else set()
    lines: list[Related] = []
    for source, role in related:
        if source is not None and len(lines) < 3 and (source.file, source.line) not in told:
            told.add((source.file, source.line))
            lines.append(Related(source, role))
    return tuple(lines)


def _prose(cls: type[Rule]) -> tuple[str, str]:
    text = inspect.cleandoc(cls.__doc__ or "")
    head, _, rest = text.partition("\n\n")
    return " ".join(head.split()), rest
