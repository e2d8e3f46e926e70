"""Rehearsal and proof: the user's closure run again, in copies, to see what really trains and what a culprit costs."""

from __future__ import annotations

import functools
import inspect
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from fxaudit.answer.answer import Answer, ParameterReport
from fxaudit.answer.document import from_text, to_text
from fxaudit.answer.finding import Finding
from fxaudit.capture.events import BackwardEvent, StepEvent
from fxaudit.capture.measuring import Measuring
from fxaudit.capture.members import named_parameters
from fxaudit.capture.neutral import Neutralizer
from fxaudit.capture.preserve import preserved
from fxaudit.capture.processes import is_one_of_several
from fxaudit.capture.remembered import remembered
from fxaudit.capture.session import Session
from fxaudit.capture.watch.autograd import drop_hooks
from fxaudit.capture.watch.compiled import eagerly
from fxaudit.errors import InvalidLossError
from fxaudit.judge.graph import StepGraph
from fxaudit.judge.rules import RULES
from fxaudit.program.source import SourceLine
from fxaudit.run.copy import can_fork, in_copy

__all__ = ["Closure", "Rehearsal", "prove"]

NEUTRAL_CODES = frozenset(rule.code for rule in RULES if rule.has_neutral_form)


@dataclass(frozen=True)
class Closure:
    """What is run to get a loss: a callable, or the one tensor that was computed already."""

    function: Callable[[], Any] | None
    tensor: torch.Tensor | None = None

    @classmethod
    def of_tensor(cls, loss: torch.Tensor) -> Closure:
        """A loss that is there already: it can be walked, but not run again."""
        return cls(None, loss)

    @classmethod
    def of_inputs(cls, model: nn.Module, inputs: Any) -> Closure:
        """The model's outputs stand in for a loss: every floating output counts, each element with another weight."""

        def run() -> torch.Tensor:
            if isinstance(inputs, Mapping):
                outputs = model(**inputs)
            else:
                outputs = model(*(inputs if isinstance(inputs, tuple | list) else (inputs,)))
            return _weighted_sum(outputs)

        return cls(run)

    def loss(self, session: Session) -> torch.Tensor | None:
        """Run it once. None where the closure returns None after a backward of its own.

        Raises:
            InvalidLossError: It returns something else than a scalar tensor.
        """
        if self.function is None:
            return self.tensor
        before = len(session.record.backwards())
        with eagerly():
            value = self.function()
        if value is None and len(session.record.backwards()) > before:
            return None
        if not isinstance(value, torch.Tensor):
            raise InvalidLossError(
                f"The loss closure returned {type(value).__name__}. Expected: a scalar tensor; "
                "`return loss` may be missing."
            )
        if value.numel() != 1:
            raise InvalidLossError(
                f"The loss closure returned a tensor of shape {tuple(value.shape)}. Expected: a scalar; use `.mean()`."
            )
        return value


def _weighted_sum(outputs: Any) -> torch.Tensor:
    found: list[torch.Tensor] = []
    queue = [outputs]
    while queue:
        item = queue.pop(0)
        if isinstance(item, torch.Tensor):
            if item.is_floating_point() or item.is_complex():
                found.append(item)
        elif isinstance(item, Mapping):
            queue.extend(item.values())
        elif isinstance(item, list | tuple):
            queue.extend(item)
        elif hasattr(item, "__dict__"):
            queue.extend(vars(item).values())
    if not found:
        raise InvalidLossError(
            "The model returned no floating-point tensor to stand in for the loss. Give `loss=` a closure instead."
        )
    parts = []
    for tensor in found:
        real = tensor.abs() if tensor.is_complex() else tensor
        # A plain sum would be blind to what sums to a constant, such as a softmax.
        weights = torch.sin(torch.arange(real.numel(), dtype=torch.float32, device=real.device) + 1.0) + 1.5
        parts.append((real.float() * weights.view(real.shape)).sum())
    return torch.stack(parts).sum()


class Rehearsal:
    """One observed forward and backward, and as many rehearsed steps as it takes."""

    def __init__(
        self,
        session: Session,
        named: Sequence[tuple[str, nn.Module]],
        optimizers: Sequence[Any],
        closure: Closure,
        steps: int,
    ) -> None:
        self.session = session
        self.modules = [module for _, module in named]
        self.optimizers = list(optimizers)
        self.closure = closure
        self.steps = steps

    def report(self, examine: Callable[[], Answer], begin: Callable[[], None]) -> Answer:
        """Observe, rehearse where needed, and return what `examine` makes of it; `begin` is called before anything of
        the user's runs.

        Raises:
            Exception: Whatever the closure raises, after everything was put back.
        """
        record = self.session.record
        events = len(record.events)
        assignments = len(self.session.assignments)
        plan = self.session.measuring_plan
        try:
            self.session.measuring_plan = Measuring(at_once=True)
            if self.closure.tensor is not None:
                begin()
                return self._of_tensor(examine)
            refused = False
            with preserved(self.session, self.modules, self.optimizers):
                begin()
                try:
                    self._forward_and_backward()
                except TypeError:
                    if len(self.session.assignments) == assignments:
                        raise
                    refused = True
                if not refused and (is_one_of_several() or not self._asks_for_rehearsal()):
                    return examine()  # other processes need not come to the same decision, and would be waited for
                if not refused and not can_fork():
                    self._rehearse()
                    return examine()
            return self._in_copy(examine, refused)
        finally:
            self.session.measuring_plan = plan
            # The loop of an outer `watch` did none of this.
            del record.events[events:]
            self.session.probes = [entry for entry in self.session.probes if entry[0] < events]
            self.session.measured = [entry for entry in self.session.measured if entry[0] < events]
            self.session.glances = {event for event in self.session.glances if event < events}

    def _in_copy(self, examine: Callable[[], Answer], refused: bool) -> Answer:
        if refused and not can_fork():
            return examine()

        def work() -> str:
            self._adopt_process()
            if refused:
                self.session.lenient = True
                self.session.assignments.clear()
                for parameter in (p for module in self.modules for p in module.parameters()):
                    parameter.grad = None
                self._forward_and_backward()
            self._rehearse()
            return to_text(examine())

        answer, why = in_copy(work)
        if answer is None:
            report = examine()
            return replace(report, notes=(*report.notes, f"The rehearsal did not finish: {why}."))
        return from_text(answer)

    def _of_tensor(self, examine: Callable[[], Answer]) -> Answer:
        """Run the backward of a loss that was computed already in a copy: the user's own graph stays whole."""
        loss = self.closure.tensor
        assert loss is not None

        recorder = self.session.recorder
        values = self.session.record.values
        self.session.forward_unseen = not any(values[vid].op >= 0 for vid in recorder.values_of(loss))
        if self.session.forward_unseen and (last := remembered(loss)) is not None:
            graph = StepGraph(last.record)
            sources = last.record.stacks

            def line_before(leaf: torch.Tensor) -> SourceLine | None:
                track = last.track_of(leaf)
                return sources.source(graph.nearest_cut(track)) if track >= 0 else None

            self.session.cut_before = line_before

        def work() -> str:
            self._adopt_process()
            for module in self.modules:
                for parameter in module.parameters():
                    parameter.grad = None
            self._backward(loss)
            return to_text(examine())

        if can_fork():
            answer, why = in_copy(work)
            if answer is not None:
                return from_text(answer)
        else:
            why = "a backward here would use up the graph, and the process cannot be forked"
        with preserved(self.session, self.modules, self.optimizers):
            loss.backward(retain_graph=True) if loss.requires_grad else self._backward(loss)
            report = examine()
        return replace(report, notes=(*report.notes, why))

    def _adopt_process(self) -> None:
        self.session.recorder.process = os.getpid()

    # -- running -------------------------------------------------------------------------------------------------

    def _forward_and_backward(self) -> None:
        before = len(self.session.record.backwards())
        with torch.enable_grad():
            loss = self.closure.loss(self.session)
            if loss is not None and not self._is_done(loss, before):
                self._backward(loss)
        # A graph that was looked at must lose its loss before its nodes: see DESIGN on deep graphs.
        del loss

    def _is_done(self, loss: torch.Tensor, before: int) -> bool:
        """Whether the closure has called backward on this loss, or on a part of it, itself."""
        own = self.session.record.backwards()[before:]
        if not own or not loss.requires_grad:
            return bool(own) or (not loss.requires_grad and self._writes_gradients())
        wanted = set(self.session.recorder.values_of(loss))
        roots = {vid for event in own for vid in event.roots}
        return bool(wanted & roots) or bool(wanted & StepGraph(self.session.record).downstream(roots))

    def _writes_gradients(self) -> bool:
        """Whether the closure writes `.grad` itself, so that a loss without a graph needs no backward."""
        return any(track.hand_gradient for track in self.session.record.tracks)

    def _backward(self, loss: torch.Tensor) -> None:
        try:
            loss.backward()
        except RuntimeError:
            if not self.session.record.backwards() or not self.session.record.backwards()[-1].error:
                raise
            # The recorded event says what was raised; a rule explains it.

    def _asks_for_rehearsal(self) -> bool:
        with self.session.quietly(), torch.no_grad():
            return self._needs_rehearsal()

    def _needs_rehearsal(self) -> bool:
        """Whether some held parameter has a zero gradient, none without a sure cut, or may lose what a step adds to
        it."""
        if not self.optimizers or self.steps <= 0:
            return False
        session = self.session
        held = {t for info in session.optimizers for _, members in info.groups for t in members}
        written = {vid for op in session.record.ops if op.mutates and op.module >= 0 for vid in op.mutates}
        if written:
            own = {session.recorder.track(p).index for module in self.modules for _, p in named_parameters(module)}
            if any(not written.isdisjoint(session.record.tracks[index].values) for index in held | own):
                return True  # forward writes a parameter in place
        rates = [rate for info in session.optimizers for rate, _ in info.groups]
        if rates and all(rate == 0 for rate in rates):
            return False
        if any(not type(optimizer).__module__.startswith("torch.") for optimizer in self.optimizers):
            return True  # what the user's own optimizer writes, and where, only a step can tell
        arrived = [event.arrived for event in session.record.backwards()]
        graph: StepGraph | None = None
        finite: list[tuple[int, torch.Tensor]] = []
        for index in held:
            track = session.record.tracks[index]
            tensor = track.ref()
            if tensor is None or not tensor.requires_grad:
                continue
            states = [norms[index][0] for norms in arrived if index in norms]
            if "finite" in states:
                finite.append((index, tensor))
                continue
            graph = graph or StepGraph(session.record)
            cut = not states and graph.cuts(index) and not graph.carries_to_loss(index)
            if cut and self._may_have_its_turn(index):
                return True
            if cut and not session.record.tracks[index].hand_gradient:
                continue
            return True
        return self._some_is_lost_to_rounding(finite)

    def _may_have_its_turn(self, index: int) -> bool:
        """Whether this loss gives nothing at all to what holds it, and something to another optimizer: the next call of
        the closure may be the other's turn."""
        arrived = {track for event in self.session.record.backwards() for track in event.arrived}
        own = {info.index for info, _ in self.session.holders(index)}
        members = {t for info in self.session.optimizers if info.index in own for _, held in info.groups for t in held}
        return len(self.optimizers) > 1 and not members & arrived and bool(arrived)

    def _some_is_lost_to_rounding(self, finite: Sequence[tuple[int, torch.Tensor]]) -> bool:
        """Whether, of tensors with a gradient, a step may be smaller than the spacing of the numbers it is added to."""
        doubtful: dict[tuple[torch.dtype, torch.device], list[tuple[float, torch.Tensor]]] = {}
        arrived = [event.arrived for event in self.session.record.backwards()]
        for index, tensor in finite:
            steps = self._relative_steps(index, tensor, [norms[index][1] for norms in arrived if index in norms])
            if not any(step >= 1e3 for step in steps):
                alike = doubtful.setdefault((tensor.dtype, tensor.device), [])
                alike.append((max(steps, default=-math.inf), tensor.detach()))
        for alike in doubtful.values():
            # The norm is at least as large as the largest number, and quick to get for all of them.
            norms = _norms([tensor for _, tensor in alike])
            for (step, tensor), norm in zip(alike, norms, strict=True):
                if step >= norm:
                    continue
                low, high = torch.aminmax(tensor)
                if not step >= max(abs(float(low)), abs(float(high))):
                    return True
        return False

    def _relative_steps(self, index: int, tensor: torch.Tensor, norms: list[float]) -> list[float]:
        """About how far each optimizer moves a tensor, as a multiple of the spacing of the numbers next to 1."""
        if self.session.record.tracks[index].is_rounding_noise:
            return [math.inf]
        spacing = torch.finfo(tensor.dtype).eps
        steps = []
        for info, group in self.session.holders(index):
            rate, size = info.groups[group][0], 1.0
            if isinstance(info.ref(), torch.optim.SGD):
                # Plain descent moves by the gradient, of which some element is at least this large; what adapts moves
                # by about the learning rate.
                size = max(norms) / math.sqrt(tensor.numel())
            steps.append(math.inf if rate is None else rate * size / spacing)
        return steps

    def _rehearse(self) -> None:
        """Steps of the user's own loop, as far as it is known: clear, forward, backward, step."""
        record, recorder = self.session.record, self.session.recorder
        for _ in range(self.steps):
            # Looking at the numbers is what costs most; it tells where a gradient became zero or infinite.
            recorder.probing = any(
                state != "finite" for event in record.backwards() for state, _ in event.arrived.values()
            )
            for optimizer in self.optimizers:
                _clear(optimizer)
            for track in record.tracks:  # what the observed backward had brought was put aside unseen
                tensor = track.ref()
                if tensor is not None and tensor.grad is None:
                    track.contributions = track.used = 0
            self._forward_and_backward()
            for optimizer in self.optimizers:
                self._step(optimizer)
            if self._settled():
                break

    def _step(self, optimizer: Any) -> None:
        parameters = inspect.signature(optimizer.step).parameters.values()
        needs_closure = any(p.name == "closure" and p.default is inspect.Parameter.empty for p in parameters)
        if needs_closure or type(optimizer).__name__ == "LBFGS":

            def again() -> Any:
                _clear(optimizer)
                with torch.enable_grad():
                    loss = self.closure.loss(self.session)
                    if loss is not None:
                        self._backward(loss)
                return loss

            optimizer.step(again)
        else:
            optimizer.step()

    def _settled(self) -> bool:
        """Whether every held parameter has been changed by a step because of a gradient, and kept the change."""
        held = {t for info in self.session.optimizers for _, members in info.groups for t in members}
        steps = sum(1 for event in self.session.record.events if isinstance(event, StepEvent))
        return steps >= 2 * len(self.optimizers) and all(
            any(f.changed and f.gradient == "finite" and f.lost is False for f in self.session.record.tracks[t].facts)
            for t in held
        )


def _norms(tensors: list[torch.Tensor]) -> list[float]:
    """The 2-norm of each; infinite where torch has none for such tensors all at once."""
    try:
        return [float(norm) for norm in torch.stack([one.float() for one in torch._foreach_norm(tensors, 2)]).tolist()]
    except (RuntimeError, TypeError):
        return [math.inf] * len(tensors)


def _clear(optimizer: Any) -> None:
    if hasattr(optimizer, "zero_grad"):
        optimizer.zero_grad()
        return
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = None


# -- proof ---------------------------------------------------------------------------------------------------------


def prove(report: Answer, session: Session, closure: Closure, named: Sequence[tuple[str, nn.Module]]) -> Answer:
    """Run the closure again, in copies, with each culprit neutralised, and say which parameters came alive."""
    if closure.function is None or not can_fork():
        return report
    names = {}
    for prefix, module in named:
        for name, parameter in module.named_parameters():
            full = name if len(named) == 1 else f"{prefix}.{name}"
            names[full] = parameter
    proofs: dict[int, Finding] = {}
    for finding in report.findings:
        if finding.code not in NEUTRAL_CODES or finding.culprit is None:
            continue
        wanted = [name for name in finding.parameters if name in names]
        if not wanted:
            continue
        restored = _replay(session, closure, finding, {name: names[name] for name in wanted})
        if restored is not None:
            proofs[id(finding)] = finding.with_proof(bool(restored), tuple(restored))
    return with_proofs(report, proofs)


def with_proofs(report: Answer, proofs: Mapping[int, Finding]) -> Answer:
    """The report with some of its findings replaced, by identity, also where parameters refer to them."""
    if not proofs:
        return report

    def proved(parameter: ParameterReport) -> ParameterReport:
        return replace(parameter, findings=tuple(proofs.get(id(f), f) for f in parameter.findings))

    return replace(
        report,
        findings=tuple(proofs.get(id(f), f) for f in report.findings),
        parameters={name: proved(parameter) for name, parameter in report.parameters.items()},
    )


def _replay(
    session: Session, closure: Closure, finding: Finding, parameters: Mapping[str, torch.Tensor]
) -> list[str] | None:
    """The parameters that receive a non-zero gradient when the culprit is neutralised; None where the replay failed.

    Where that alone brings none to life, what else the finding names is removed, too: the first line of it, then all.
    """
    assert finding.culprit is not None
    lines_named = [finding.culprit, *(related.source for related in finding.related)]
    for count in sorted({1, min(2, len(lines_named)), len(lines_named)}):
        lines = lines_named[:count]
        attempt = functools.partial(_attempt, session, closure, lines, parameters)
        answer, _ = in_copy(attempt, seconds=120.0)
        if answer is None:
            return None
        restored: list[str] = json.loads(answer)
        if restored:
            return restored
    return []


def _attempt(
    session: Session, closure: Closure, lines: list[SourceLine], parameters: Mapping[str, torch.Tensor]
) -> str:
    session.recorder.process = os.getpid()
    places = {(line.file, line.line) for line in lines}
    session.recorder.neutral = Neutralizer(session.record.stacks, places)
    for parameter in parameters.values():
        parameter.grad = None
        drop_hooks(parameter, places)
    before = len(session.record.backwards())
    with torch.enable_grad():
        loss = closure.loss(session)
        if loss is not None and len(session.record.backwards()) == before:
            loss.backward()
    arrived: dict[int, tuple[str, float]] = {}
    for event in session.record.events:
        if isinstance(event, BackwardEvent) and event.accumulates:
            arrived = {**event.arrived}
    restored = []
    for name, parameter in parameters.items():
        track = session.recorder.known_track(parameter)
        if track is not None and arrived.get(track.index, ("none", 0.0))[0] == "finite":
            restored.append(name)
    return json.dumps(restored)
