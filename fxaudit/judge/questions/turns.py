"""Optimizers whose turn never comes. Shared by the rules on steps and on cuts."""

from __future__ import annotations

from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import why_never_called
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import binding_of

__all__ = ["receivers", "turn_never_comes"]

USUAL = frozenset({"optimizer", "opt", "optim", "optimiser", "scaler"})


def receivers(audit: Audit, optimizer: int) -> frozenset[str]:
    """The names under which the program knows the optimizer; empty where that is not known."""
    info = audit.recording.optimizers[optimizer]
    names = {info.name} if info.name else set()
    stacks = audit.record.stacks
    for frame in stacks.chain(info.created)[:3]:
        binding = binding_of(stacks.file(frame), stacks.line(frame))
        names.update(name.rsplit(".", 1)[-1] for name in binding.names)
        if binding.kind != "returned":
            break
    if not names:
        return USUAL
    return frozenset(names) if len(audit.recording.optimizers) > 1 else USUAL | names | {"self"}


def turn_never_comes(audit: Audit, states: list[ParameterState]) -> list[tuple[SourceLine, str]]:
    """What keeps the one optimizer that holds the parameters from ever stepping, while others do: (line, role) pairs.

    Then what the forward does with them meanwhile, such as a generator that runs without gradients, is no mistake.
    """
    holders = {index for state in states for index, _ in state.held}
    if not audit.judge.looped or len(holders) != 1:
        return []
    holder = audit.recording.optimizers[next(iter(holders))]
    if holder.steps or not any(info.steps for info in audit.recording.optimizers):
        return []
    seen = [event.stack for event in audit.record.steps()]
    return why_never_called(audit.record, "step", seen, receivers(audit, holder.index))
