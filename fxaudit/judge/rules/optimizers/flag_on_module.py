"""FXA307."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.program.repairs import called_flag

__all__ = ["FlagOnModule"]


class FlagOnModule(Rule):
    """`module.requires_grad = False` freezes nothing, and `= True` unfreezes nothing.

    Modules have no such flag: the assignment makes a plain attribute, and the parameters stay as they were.
    """

    code, name, level = "FXA307", "flag-on-module", "warning"
    explains = frozenset({"frozen"})
    fix = "Call `module.requires_grad_(False)`."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each module on which the flag was set."""
        for info in audit.recording.modules:
            entries = [e for e in info.attributes.get("requires_grad", ()) if e[2] == "flag"]
            if not entries or not info.is_alive:
                continue
            flag = bool(info.settings.get("requires_grad", True))
            own = audit.recording.tracks_below(info)
            states = [s for s in audit.states if s.index in own and s.track.requires_grad != flag]
            if not states:
                continue
            effect = "unfreezes" if flag else "freezes"
            yield self.finding(
                audit,
                states,
                f"`requires_grad = {flag}` on the module `{info.type}` {effect} nothing",
                audit.source(entries[-1][1]),
                fix=f"Call `module.requires_grad_({flag})`.{called_flag(audit.source(entries[-1][1]))}",
            )

    @staticmethod
    def bad() -> Example:
        """A backbone that is meant to be frozen."""
        from typing import Any

        import torch
        from torch import nn

        backbone: Any = nn.Linear(4, 4)
        backbone.requires_grad = False  # FXA307
        model, x = nn.Sequential(backbone, nn.Tanh(), nn.Linear(4, 1)), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """The method freezes its parameters."""
        from typing import Any

        import torch
        from torch import nn

        backbone: Any = nn.Linear(4, 4)
        backbone.requires_grad_(False)
        model, x = nn.Sequential(backbone, nn.Tanh(), nn.Linear(4, 1)), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)
