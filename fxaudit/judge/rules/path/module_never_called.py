"""FXA101."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.answer.folding import fold_sentence
from fxaudit.judge.questions.mentions import Unreached, is_missed, unreached_mention
from fxaudit.judge.questions.renewed import FIX as NEW
from fxaudit.judge.questions.renewed import renewed
from fxaudit.judge.questions.uncalled import taken_apart, topmost_uncalled, used_paths
from fxaudit.judge.rule import ANOTHER_BATCH, Audit, Example, Rule
from fxaudit.judge.verdict import ParameterState

__all__ = ["ModuleNeverCalled"]


APART = "Take the missing parts, too, or do not register the whole beside them."


class ModuleNeverCalled(Rule):
    """A registered module is never called.

    Its parameters are in `model.parameters()` and in the optimizer, but no forward runs the module, so they receive no
    gradient. Where the forward mentions the module in a branch that is not taken, that branch is to blame. So is the
    line that put it in the place of another module, which is still called elsewhere.

    May be intended when a head is kept for a later phase, or an expert was not chosen in the steps that were seen.
    """

    code, name, level = "FXA101", "module-never-called", "error"
    may_be_meant = True
    fix = "Call the module in forward, or remove it from the model."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each topmost module that is never called."""
        groups: dict[tuple[int, str], list[ParameterState]] = {}
        used: dict[int, set[str]] = {}
        for state in (*audit.unexplained("unreachable"), *audit.starved()):
            if state.root is None or not is_missed(audit, state):
                continue
            index = state.root.index
            if index not in used and any(m.root.index == index for m in audit.recording.models):
                used[index] = used_paths(audit, index)
            top = topmost_uncalled(state, used[index]) if index in used else None
            if top is not None:
                groups.setdefault((state.root.index, top), []).append(state)
        merged: dict[object, tuple[int, list[str], Unreached, list[ParameterState]]] = {}
        for (root, path), states in groups.items():
            unreached = unreached_mention(audit, root, path)
            apart = taken_apart(audit, root, path)
            if apart is not None:
                unreached = Unreached(apart, [(unreached.culprit, "left out of what is taken here")], advice=APART)
            new = renewed(audit, root, path) if apart is None else None
            if new is not None:
                told = [(new.former, f"the former one was put here, and is still called, as {new.still}")]
                unreached = Unreached(new.line, told, advice=NEW)
            line = unreached.culprit
            # Siblings that one statement keeps from running, or made and nobody calls, are one finding.
            starved = states[0].is_starved
            shared = (line.file, line.line, unreached.condition, root, starved) if line else (root, path)
            entry = merged.setdefault(shared, (root, [], unreached, []))
            entry[1].append(path)
            entry[3].extend(states)
        for root, paths, unreached, states in merged.values():
            yield self._finding(audit, root, paths, unreached, states)

    def _finding(
        self, audit: Audit, root: int, paths: list[str], unreached: Unreached, states: list[ParameterState]
    ) -> Finding:
        default = unreached.culprit is not None and unreached.culprit.library and audit.is_library_made(states)
        starved = states[0].is_starved
        meant = not audit.is_held(states) or default or unreached.random or starved
        level = "note" if meant else "warning" if unreached.condition else "error"
        model = next(m for m in audit.recording.models if m.root.index == root)
        names = [f"{model.prefix}{path}" for path in paths]
        message = f"{fold_sentence(names, limit=1)} {'is' if len(names) == 1 else 'are'} never called"
        if unreached.condition:
            message += f": {unreached.condition}"
        return self.finding(
            audit,
            states,
            message,
            unreached.culprit,
            related=unreached.related,
            level=level,  # type: ignore[arg-type]
            fix=ANOTHER_BATCH if starved else unreached.advice or None,
        )

    @staticmethod
    def bad() -> Example:
        """A gate that is made, and forgotten in forward."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.body = nn.Linear(4, 4)
                self.gate = nn.Linear(4, 4)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return torch.tanh(self.body(x))  # FXA101

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """The gate is called."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.body = nn.Linear(4, 4)
                self.gate = nn.Linear(4, 4)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return torch.tanh(self.body(x)) * torch.sigmoid(self.gate(x))

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)
