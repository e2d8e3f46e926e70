"""FXA504."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.judge.questions.hook_masks import zero_in_hook
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.loops import late_closures
from fxaudit.program.source import SourceLine, actual_path
from fxaudit.program.tree import tree_of

__all__ = ["HookReplacedGradient"]


class HookReplacedGradient(Rule):
    """A hook replaces the gradient by zeros.

    A tensor hook or a full backward hook returned something, and what a hook returns takes the gradient's place.
    """

    code, name, level = "FXA504", "hook-replaced-gradient", "error"
    has_neutral_form = True
    needs_a_run = True
    fix = "Return None from the hook, or the gradient it was given."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each hook that returned zeros."""
        origins = audit.judge.origins
        groups: dict[tuple[str, int], tuple[SourceLine | None, SourceLine | None, list[ParameterState]]] = {}
        for state in audit.unexplained("blocked"):
            if state.arrived != "zero":
                continue
            found = origins.of(state.track)
            if found is None or found.how not in ("backward", "hook"):
                continue
            bites = audit.record.ops[found.bites] if found.bites >= 0 else None
            if found.how == "backward" and bites is not None and bites.custom and "BackwardHook" not in bites.name:
                continue
            registered = audit.source(state.track.hooks[-1]) if state.track.hooks else None
            culprit = audit.op_source(found.origin) or registered
            key = (culprit.file, culprit.line) if culprit is not None else ("", 0)
            groups.setdefault(key, (culprit, registered, []))[2].append(state)
        for culprit, registered, states in groups.values():
            related = [(registered, "the hook is registered here")]
            told = zero_in_hook(audit, states[0]) if not _sees_the_last(culprit) else None
            if told is not None:
                line, behind, _ = told
                culprit, related = line, [(culprit, "the hook multiplies here"), *behind, *related]
            message = f"a hook replaces the gradient of {audit.names(states)} by zeros"
            fix = self.fix if told is None else told[2]
            yield self.finding(audit, states, message, culprit, related=related, fix=fix)

    @staticmethod
    def bad() -> Example:
        """A hook that multiplies the gradient by 0."""
        import torch
        from torch import nn

        model, x = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1)), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for parameter in model[0].parameters():
            parameter.register_hook(lambda grad: grad * 0)  # FXA504
        return Example(model, lambda: model(x).square().mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """The hook halves it."""
        import torch
        from torch import nn

        model, x = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1)), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for parameter in model[0].parameters():
            parameter.register_hook(lambda grad: grad * 0.5)
        return Example(model, lambda: model(x).square().mean(), optimizer)


def _sees_the_last(line: SourceLine | None) -> bool:
    """Whether the hook was made in a loop, and reads what the last round left: another value would not be its own."""
    tree = tree_of(actual_path(line.file)) if line is not None else None
    return tree is not None and line is not None and any(at == line.line for at, _ in late_closures(tree))
