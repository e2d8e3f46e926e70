"""Which operations of a symbolic trace lead to an output, and what a write in forward does to a parameter."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fxaudit.capture import operations
from fxaudit.capture.registry import ModuleInfo
from fxaudit.capture.symbolic.flow import TraceFlow
from fxaudit.capture.symbolic.trace import SymbolicOp, SymbolicTrace
from fxaudit.capture.symbolic.transcript import Transcript, Written
from fxaudit.program.flow import beyond, onwards

__all__ = ["Traced", "hidden_reason", "loses_updates", "unused"]


@dataclass
class Traced:
    """A model with its trace, and which of its operations lead to an output by what."""

    root: ModuleInfo
    written: Written
    modules: Mapping[str, ModuleInfo]
    """Path → module of the model."""

    @property
    def found(self) -> SymbolicTrace:
        """The trace."""
        return self.written.found

    @property
    def transcript(self) -> Transcript:
        """What became of its operations."""
        return self.written.transcript

    @functools.cached_property
    def hiding(self) -> frozenset[int]:
        """Operations whose gradient nobody can tell: what could not be followed, and custom autograd Functions."""
        return frozenset(op.index for op in self.found.ops if op.hides_gradient)

    @functools.cached_property
    def surely(self) -> frozenset[int]:
        """Operations to which gradient is known to flow back from an output."""
        return self.found.flow(is_sure=True).carrying

    @functools.cached_property
    def perhaps(self) -> frozenset[int]:
        """Operations to which gradient may flow back from an output, through what cannot be followed."""
        return self.flow.carrying

    @functools.cached_property
    def flow(self) -> TraceFlow:
        """What the operations read, and what reads them."""
        return self.found.flow()

    @functools.cached_property
    def has_strangers(self) -> bool:
        """Whether an output depends on a tensor of unknown origin, such as what function transforms hand on."""
        return any(
            op.kind == "buffer" and op.target.startswith("<Tensor ") and self.flow.made_of(op.index)
            for op in self.found.ops
        )

    @functools.cached_property
    def called(self) -> frozenset[int]:
        """The modules that were called; one module may have several names."""
        return frozenset(info.index for name, info in self.modules.items() if name in self.found.called_modules)

    @functools.cached_property
    def below(self) -> dict[str, set[int]]:
        """Path → the modules there and below."""
        found: dict[str, set[int]] = {}
        for name, info in self.modules.items():
            while name:
                found.setdefault(name, set()).add(info.index)
                name = name.rpartition(".")[0]
        return found

    @functools.cached_property
    def _by_slot(self) -> dict[str, list[SymbolicOp]]:
        found: dict[str, list[SymbolicOp]] = {}
        for op in self.found.ops:
            if op.kind in ("parameter", "buffer"):
                found.setdefault(op.slot or op.target, []).append(op)
        return found

    def reads(self, local: str) -> list[SymbolicOp]:
        """The operations that stand for the parameter's value."""
        return self._by_slot.get(self.found.aliases.get(local, local), [])

    def readers(self, local: str) -> list[SymbolicOp]:
        """The operations that read it."""
        return [self.found.ops[user] for op in self.reads(local) for user in self.flow.made_of(op.index)]

    def hidden_by(self, reads: Iterable[SymbolicOp]) -> SymbolicOp | None:
        """The first operation on a way to an output that cannot be seen through."""

        def on(index: int) -> Iterable[int]:
            return (user for user in self.flow.carrying_back_to(index) if user in self.perhaps)

        start = (op.index for op in reads if op.index in self.perhaps)
        hidden = next((index for index in onwards(start, on) if index in self.hiding), None)
        return self.found.ops[hidden] if hidden is not None else None


def unused(traced: Traced, local: str) -> tuple[str, str]:
    """The attribute by which forward would have got at the parameter, and what forward never does in words."""
    parts = local.split(".")
    for depth in range(1, len(parts)):
        path = ".".join(parts[:depth])
        if path in traced.below and not traced.below[path] & traced.called:
            named = [each for each in parts[:depth] if not each.isdigit()] or parts[:1]
            return named[-1], f"calls `{path}`"
    return parts[-1], "reads it"


def loses_updates(traced: Traced, slot: str) -> bool | None:
    """Whether a write in forward loses what an optimizer changed; None where only a real step can tell."""
    ops = traced.found.ops
    own = {op.index for op in traced.found.ops if op.kind == "parameter" and op.slot == slot}
    answers: list[bool | None] = []
    for read in (ops[index] for index in own):
        if not read.inputs:
            continue
        writer = _first_writer(ops, ops[read.inputs[0]])
        name = writer.target.rpartition(".")[2]
        operation = operations.of(name)
        if operation.fills:
            answers.append(True)
        elif operation.preserves and operation.in_place:
            answers.append(False)
        elif operation.replaces_all or name == "data":
            sources = writer.inputs if name == "data" else writer.inputs[1:]
            answers.append(None if not own.isdisjoint(beyond(sources, traced.flow.sources)) else True)
        else:
            answers.append(None)
    if any(answer is True for answer in answers):
        return True
    return None if None in answers else False


def _first_writer(ops: Sequence[SymbolicOp], op: SymbolicOp) -> SymbolicOp:
    """The call that wrote, behind the operations that pass the write on to whatever shares memory."""
    while True:
        before = [
            ops[index] for index in op.inputs if ops[index].target == op.target and ops[index].source == op.source
        ]
        if not before:
            return op
        op = before[-1]


def hidden_reason(op: SymbolicOp | None) -> str:
    """Why nobody can tell what gradient passes through `op`."""
    if op is None:
        return "it reaches only what the model returns inside an object, and whether a loss reads that is open"
    if not op.reason:
        return f"its gradient passes through `{op.target}`, whose backward only a run can show"
    where = f" in line {op.source.line} of {op.source.file}" if op.source is not None else ""
    return f"`{op.target}` could not be followed: {op.reason}{where}"
