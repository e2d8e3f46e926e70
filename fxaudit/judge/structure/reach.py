"""Which operations of a symbolic trace lead to an output, and what a write in forward does to a parameter."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fxaudit.capture.naming import ModelName
from fxaudit.capture.reading import is_autograd_function
from fxaudit.capture.symbolic.trace import SymbolicOp, SymbolicTrace
from fxaudit.judge.structure.transcript import Transcript
from fxaudit.judge.verdict import RANDOM_FILLS

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Traced", "assigned_itself", "hidden_reason", "loses_updates", "unused"]

PRESERVING = frozenset(
    "clamp_ clamp_min_ clamp_max_ clip_ renorm_ mul_ div_ add_ sub_ addcmul_ lerp_ masked_fill_ __setitem__ "
    "__imul__ __iadd__ __isub__ __itruediv__ index_fill_ fill_diagonal_ tril_ triu_".split()
)
"""Writes after which a parameter still has what an optimizer changed, at least in part."""


@dataclass
class Traced:
    """A model with its trace, and which of its operations lead to an output by what."""

    model: ModelName
    found: SymbolicTrace
    transcript: Transcript
    hidden: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """Track → the labels under which the trace may know an unregistered tensor."""

    @functools.cached_property
    def hiding(self) -> frozenset[int]:
        """Operations whose gradient nobody can tell: what could not be followed, and custom autograd Functions."""
        custom = set()
        for node in self.found.graph.nodes if self.found.graph is not None else ():
            owner = getattr(node.target, "__self__", None)
            if is_autograd_function(owner):
                custom.add(node.meta["fxaudit_index"])
        return frozenset(custom | {op.index for op in self.found.opaque})

    @functools.cached_property
    def surely(self) -> frozenset[int]:
        """Operations from which gradient is known to flow back from an output."""
        return self._leading(past_hiding=False)

    @functools.cached_property
    def perhaps(self) -> frozenset[int]:
        """Operations from which gradient may flow back from an output, through what cannot be followed."""
        return self._leading(past_hiding=True)

    def _leading(self, *, past_hiding: bool) -> frozenset[int]:
        reached = {op.index for op in self.found.ops if op.kind == "output"}
        for op in reversed(self.found.ops):
            if op.index in reached and (past_hiding or op.index not in self.hiding):
                reached.update(op.carries)
        return frozenset(reached)

    @functools.cached_property
    def has_strangers(self) -> bool:
        """Whether an output depends on a tensor of unknown origin, such as what function transforms hand on."""
        return any(
            op.kind == "buffer" and op.target.startswith("<Tensor ") and self.users.get(op.index)
            for op in self.found.ops
        )

    @functools.cached_property
    def users(self) -> dict[int, list[SymbolicOp]]:
        """Operation → the operations that read its result."""
        found: dict[int, list[SymbolicOp]] = {}
        for op in self.found.ops:
            for source in op.inputs:
                found.setdefault(source, []).append(op)
        return found

    @functools.cached_property
    def called(self) -> frozenset[int]:
        """The modules that were called, by identity: one module may have several names."""
        modules = self.model.module.named_modules(remove_duplicate=False)
        return frozenset(id(module) for name, module in modules if name in self.found.called_modules)

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
        return [user for op in self.reads(local) for user in self.users.get(op.index, ())]

    def hidden_by(self, reads: Iterable[SymbolicOp]) -> SymbolicOp | None:
        """The first operation on a way to an output that cannot be seen through."""
        queue = deque(op.index for op in reads if op.index in self.perhaps)
        seen = set(queue)
        while queue:
            index = queue.popleft()
            if index in self.hiding:
                return self.found.ops[index]
            for user in self.users.get(index, ()):
                if index in user.carries and user.index in self.perhaps and user.index not in seen:
                    seen.add(user.index)
                    queue.append(user.index)
        return None


def unused(traced: Traced, local: str) -> tuple[str, str]:
    """The attribute by which forward would have got at the parameter, and what forward never does in words."""
    parts = local.split(".")
    module: nn.Module | None = traced.model.module
    for depth, part in enumerate(parts[:-1], 1):
        module = getattr(module, "_modules", {}).get(part)
        below = {id(each) for each in module.modules()} if module is not None else set()
        if module is not None and not below & traced.called:
            named = [each for each in parts[:depth] if not each.isdigit()] or parts[:1]
            return named[-1], f"calls `{'.'.join(parts[:depth])}`"
    return parts[-1], "reads it"


def assigned_itself(found: SymbolicTrace, slot: str) -> bool:
    """Whether all that forward puts into the slot is the very parameter that was there."""
    own = found.aliases.get(slot, slot)
    assigned = [op for op in found.ops if op.target == "Module.__setattr__" and op.slot == slot]
    sources = [found.ops[index] for op in assigned for index in op.inputs]
    return bool(sources) and all(op.kind == "parameter" and op.slot == own for op in sources)


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
        if name in RANDOM_FILLS:
            answers.append(True)
        elif name in PRESERVING:
            answers.append(False)
        elif name in ("copy_", "data", "set_"):
            sources = writer.inputs if name == "data" else writer.inputs[1:]
            answers.append(None if _depends(ops, sources, own) else True)
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


def _depends(ops: Sequence[SymbolicOp], start: Iterable[int], on: set[int]) -> bool:
    queue, seen = list(start), set(start)
    while queue:
        index = queue.pop()
        if index in on:
            return True
        fresh = [source for source in ops[index].inputs if source not in seen]
        seen.update(fresh)
        queue.extend(fresh)
    return False


def hidden_reason(op: SymbolicOp | None) -> str:
    """Why nobody can tell what gradient passes through `op`."""
    if op is None or not op.reason:
        name = f"`{op.target}`" if op is not None else "a custom function"
        return f"its gradient passes through {name}, whose backward only a run can show"
    where = f" in line {op.source.line} of {op.source.file}" if op.source is not None else ""
    return f"`{op.target}` could not be followed: {op.reason}{where}"
