"""The verdicts that the structure of a model allows, read off its symbolic trace."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from fxaudit.capture import operations
from fxaudit.capture.frozen import Recording
from fxaudit.capture.symbolic.transcript import Written
from fxaudit.judge.structure.doubt import Doubts
from fxaudit.judge.structure.graph import TracedGraph
from fxaudit.judge.structure.reach import Traced, hidden_reason, loses_updates, unused
from fxaudit.judge.trail import project_files
from fxaudit.judge.verdict import Judge, ParameterState
from fxaudit.program.source import SourceLine

__all__ = ["TracedJudge"]

ASSUMED_HOLDER = (-1, 0)
"""Stands for the optimizer that nobody gave, so that rules do not take what it would hold for left out on purpose."""


class TracedJudge(Judge):
    """Gives each parameter the verdict that the structure of its model allows."""

    graph: TracedGraph

    def __init__(self, recording: Recording, written: Sequence[Written]) -> None:
        super().__init__(recording)
        self._paths = recording.kept
        roots = [recording.modules[one.module] for one in written]
        self._traced = {
            root.index: Traced(root, one, recording.paths(root)) for root, one in zip(roots, written, strict=True)
        }
        self.graph = TracedGraph(self.record, [vid for one in written for vid in one.transcript.outputs])

    @functools.cached_property
    def _doubts(self) -> dict[int, Doubts]:
        ran = self.record.ran()
        defined = [info.defined_in for info in self.recording.modules if info.calls and info.defined_in]
        files = list(dict.fromkeys([*project_files(self.record), *defined]))
        found = {}
        for index, traced in self._traced.items():
            hiding = [traced.found.ops[at] for at in traced.hiding]
            holders = self._holders(traced)
            found[index] = Doubts(traced.written.methods, traced.found, hiding, files, ran, holders)
        return found

    def _holders(self, traced: Traced) -> dict[str, frozenset[str]]:
        """Class → the attributes by which the model gets at its modules of that class."""
        found: dict[str, set[str]] = {}
        for path, info in traced.modules.items():
            named = [part for part in path.split(".") if part and not part.isdigit()]
            kinds = self.recording.classes[info.kind].bases if info.kind >= 0 else ()
            for name, _, _ in kinds if named else ():
                found.setdefault(name, set()).add(named[-1])
        return {name: frozenset(attributes) for name, attributes in found.items()}

    # -- who is there --------------------------------------------------------------------------------------------

    def _others(self) -> None:
        """Tensors in containers, and what an optimizer holds beside the models."""
        held = {track for info in self.recording.optimizers for _, members in info.groups for track in members}
        is_bare = not self.states
        for traced in self._traced.values():
            carrying = {op.slot or op.target for op in traced.found.ops if op.index in traced.perhaps}
            for index, labels in traced.written.hidden.items():
                if index in self._named:
                    continue
                is_reached = any(label in carrying for label in labels)
                if is_reached or is_bare or traced.found.status == "stopped":
                    self._named.add(index)
                    self._unregistered(index, is_reached or is_bare, held=index in held)
        for index in sorted(held - self._named):
            self._named.add(index)
            track = self.record.tracks[index]
            old = self.recording.names.get(index)
            state = self._state(f"{old} (old)" if old else self._best_name(track, self._paths), track, None, old or "")
            state.verdict = "stale"
            state.reason = "an optimizer holds it, but it is not in the model"

    def _unregistered(self, index: int, is_reached: bool, *, held: bool) -> None:
        track = self.record.tracks[index]
        state = self._state(self._paths[index], track, None, "")
        if not is_reached:
            state.verdict, state.reason = (
                "unknown",
                "the symbolic trace stopped before it could tell whether it is used",
            )
        elif held:
            self._reached(state)
        else:
            state.verdict = "unregistered"
            state.reason = "it is kept where `parameters()` does not look, and no optimizer holds it"

    # -- the verdict ---------------------------------------------------------------------------------------------

    def _decide(self, state: ParameterState) -> None:
        assert state.root is not None
        traced = self._traced[state.root.index]
        if not state.track.requires_grad:
            state.verdict, state.reason = "frozen", "`requires_grad` is False"
            return
        if not self.optimizers_known:
            state.held = (ASSUMED_HOLDER,)
        if self._is_replaced(state, traced):
            return
        reads = traced.reads(state.local_name)
        if traced.found.status == "stopped":
            state.reason = "the symbolic trace stopped before the end of the forward"
        elif any(op.index in traced.surely for op in reads):
            doubts = self._doubts[state.root.index]
            readers = [op.source for op in traced.readers(state.local_name) if op.index in traced.surely]
            slot = traced.found.aliases.get(state.local_name, state.local_name)
            doubt = doubts.hinge(slot) or doubts.only_inside(readers, state.local_name)
            if doubt:
                state.reason = f"whether it is used is open: {doubt}"
            else:
                self._reached(state)
        elif any(op.index in traced.perhaps for op in reads):
            state.reason = hidden_reason(traced.hidden_by(reads))
        else:
            self._unreached(state, traced)

    def _reached(self, state: ParameterState) -> None:
        rates = [info.groups[group][0] for info, group in self.recording.holders(state.index)]
        if not self.optimizers_known:
            state.verdict = "trained"
            state.reason = "the structure lets gradient pass; it trains if an optimizer holds it"
        elif not rates:
            state.verdict = "excluded"
            state.reason = "the structure lets gradient pass, but no optimizer holds it"
        elif all(rate == 0 for rate in rates):
            state.verdict, state.reason = "blocked", "its learning rate is 0"
        else:
            state.verdict = "trained"
            state.reason = "the structure lets gradient pass, and an optimizer holds it"

    def _unreached(self, state: ParameterState, traced: Traced) -> None:
        assert state.root is not None
        doubts = self._doubts[state.root.index]
        if not self.graph.is_read(state.index):
            attribute, what = unused(traced, state.local_name)
            doubt = doubts.never_run(attribute)
            state.reason = f"the forward never {what}"
        else:
            reaches = self.graph.reaches_by_data(state.index)
            ends = self._ends(state)
            doubt = doubts.other_way(ends)
            if not doubt and not reaches:
                doubt = doubts.used_elsewhere(ends) or self._lost_track(state, traced)
            state.reason = (
                "gradient is cut off on every way to an output"
                if reaches
                else "what is computed from it is part of no output"
            )
        if doubt:
            state.reason = f"whether it is used is open: {doubt}"
        else:
            state.verdict = "unreachable"

    def _lost_track(self, state: ParameterState, traced: Traced) -> str:
        """Why a value that seems to be used no further may be used after all, where the trace cannot see it."""
        end = self.graph.dead_end(state.index)
        if end is not None and operations.of(self.record.ops[end.op].name).writes:
            return f"`{self.record.ops[end.op].name}` writes it into memory that other tensors may share"
        if traced.has_strangers:
            return "an output comes from a tensor that no call of the trace made"
        return ""

    def _ends(self, state: ParameterState) -> list[SourceLine | None]:
        """The lines at which gradient or the value itself goes no further."""
        stops: list[int] = [cut.op for cut in self.graph.cuts(state.index)]
        end = self.graph.dead_end(state.index)
        if end is not None:
            stops.append(end.op)
        return [self.record.stacks.source(self.record.ops[index].stack) for index in stops]

    def _is_replaced(self, state: ParameterState, traced: Traced) -> bool:
        assert state.root is not None
        doubts = self._doubts[state.root.index]
        assignment = next((each for each in self.recording.assignments if each.track == state.index), None)
        if assignment is not None:
            doubt = doubts.only_inside([self.record.stacks.source(assignment.stack)])
            if doubt:
                state.reason = f"whether forward assigns another tensor to its slot is open: {doubt}"
            else:
                self._replaced(state, "slot", "forward assigns another tensor to its slot")
            return True
        slot = traced.found.aliases.get(state.local_name, state.local_name)
        writer = traced.transcript.writers.get(slot)
        if writer is None:
            return False
        loses = loses_updates(traced, slot)
        if loses is False:
            return False
        doubt = doubts.only_inside([traced.found.overwritten.get(slot)])
        if doubt or loses is None:
            state.reason = (
                f"whether forward overwrites it is open: {doubt}"
                if doubt
                else "forward overwrites it with what it computes from it; only a real step tells what is kept"
            )
        else:
            state.writers = (writer,)
            self._replaced(
                state, "overwritten", "forward overwrites it each time with a value that does not depend on it"
            )
        return True
