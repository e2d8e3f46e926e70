"""FXA203."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.judge.cut_rule import rewrapping_lines
from fxaudit.judge.questions.containers import owner_of
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.source import is_library
from fxaudit.program.tree import made_lazily

__all__ = ["MadeInForward"]


class MadeInForward(Rule):
    """A Parameter or module is made anew in each forward.

    It starts from fresh random numbers every time and no optimizer ever holds it.
    """

    code, name, level = "FXA203", "made-in-forward", "error"
    fix = "Make the module in `__init__` (use `nn.LazyLinear` and its kin where the size is not known)."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each line that makes parameters during a forward."""
        groups: dict[int, list[ParameterState]] = {}
        calls = audit.record.stacks
        rewrapping = rewrapping_lines(audit)
        call_stacks = {call.stack for call in audit.record.calls}
        for state in audit.unexplained("replaced", "unregistered"):
            created = state.track.created
            source = audit.source(created)
            if source is not None and (source.file, source.line) in rewrapping:
                continue
            inside = (
                state.mechanism == "remade"
                or state.verdict == "excluded"
                or bool(call_stacks & set(calls.chain(created)[1:]))
            )
            if created >= 0 and inside and not _made_once(audit, state):
                groups.setdefault(created, []).append(state)
        merged: dict[tuple[str, int], tuple[int, list[ParameterState]]] = {}
        for created, states in groups.items():
            stack = _asked_for(audit, created)
            key = (calls.file(stack), calls.line(stack))
            merged.setdefault(key, (stack, []))[1].extend(states)
        for stack, states in merged.values():
            message = f"{audit.names(states, 'is', 'are')} made anew in each forward"
            yield self.finding(audit, [*states, *_displaced(audit, states)], message, audit.source(stack))

    @staticmethod
    def bad() -> Example:
        """An adapter that is made where the width of the input is known."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.head = nn.Linear(4, 1)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                self.adapter = nn.Linear(x.shape[-1], 4)  # FXA203
                return torch.sigmoid(self.head(self.adapter(x)))

        def train() -> None:
            model, x = Net(), torch.randn(8, 6)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for _ in range(3):
                optimizer.zero_grad()
                model(x).square().mean().backward()
                optimizer.step()

        return Example(train=train)

    @staticmethod
    def good() -> Example:
        """The adapter is made once, before the optimizer."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.adapter = nn.Linear(6, 4)
                self.head = nn.Linear(4, 1)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return torch.sigmoid(self.head(self.adapter(x)))

        def train() -> None:
            model, x = Net(), torch.randn(8, 6)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for _ in range(3):
                optimizer.zero_grad()
                model(x).square().mean().backward()
                optimizer.step()

        return Example(train=train)


def _asked_for(audit: Audit, stack: int) -> int:
    """The frame that asks for the Parameter: where the constructors of the user's own modules are called."""
    stacks = audit.record.stacks
    inside = [i for i in stacks.chain(stack) if stacks.codes[i].co_name != "__init__"]
    return next((i for i in inside if not is_library(stacks.file(i))), stack)


def _displaced(audit: Audit, states: list[ParameterState]) -> list[ParameterState]:
    """The stale tensors that stood where the new ones stand: one cause, not two."""
    slots = {track.registered[-1][2] for state in states if (track := state.track).registered}
    names = {state.local_name or state.name for state in states} | slots
    return [
        old
        for old in audit.unexplained("stale")
        if old.local_name and (old.local_name in names or old.local_name.rsplit(".", 1)[-1] in slots)
    ]


def _made_once(audit: Audit, state: ParameterState) -> bool:
    """Whether the tensor is made in the first forward and kept: that is an attribute that came too late.

    Several rounds tell; of one round the source does, by the branch or the cache around the call.
    """
    if state.mechanism == "remade":
        return False
    twins = [
        track
        for track in audit.record.tracks
        if track.created == state.track.created and track.shape == state.track.shape
    ]
    forwards = [call for call in audit.record.calls if call.parent < 0]
    if len(audit.graph.backwards) > 1:
        return len(twins) < min(len(audit.graph.backwards), len(forwards))
    keeper = owner_of(audit, state)
    if keeper is not None and keeper.kept.container == "defaultdict":
        return True
    stacks = audit.record.stacks
    return any(made_lazily(stacks.file(i), stacks.line(i)) for i in stacks.chain(state.track.created)[:3])
