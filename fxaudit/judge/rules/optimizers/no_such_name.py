"""FXA309."""

from __future__ import annotations

import os
from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.judge.questions.births import unread_setting
from fxaudit.judge.questions.injected import put_in_vain
from fxaudit.judge.questions.misspelt_options import frozen_by_default
from fxaudit.judge.questions.name_tests import asked_of_nothing, frozen_in_vain
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.trail import source_at
from fxaudit.program.name_tests import AS_LISTED

__all__ = ["NoSuchName"]


class NoSuchName(Rule):
    """Parameters stay frozen because a name is misspelt.

    The program decides by name what trains, and nothing contains one of the names, though something that stays frozen
    nearly does; or it decides by an option, which a configuration file gives under another name, so that the default
    holds, or what the file says with which that one begins; or it puts adapters into a model by names that no module
    has.

    May be intended where one list of names serves several models: a note where no name is near.
    """

    code, name, level = "FXA309", "no-such-name", "warning"
    explains = frozenset({"frozen"})
    fix = AS_LISTED

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each text that is asked for in vain, and for each option that is given in vain."""
        for decision, states in frozen_by_default(audit):
            birth = decision.birth
            assert birth is not None
            counts = os.path.basename(birth.counts_instead)
            by = f", as `{counts}` says" if counts else " by default"
            words = f"`{decision.operand}` is {decision.value!r}{by}, and nobody reads `{birth.text}`"
            asked = (source_at(decision.file, decision.line), "asked here")
            yield self.finding(
                audit,
                states,
                f"{audit.names(states, 'stays', 'stay')} frozen: {words}",
                source_at(birth.file, birth.line),
                related=[asked, (states[0].frozen_at, "frozen here")],
                fix=unread_setting(birth) if counts else "Write the option as the program reads it.",
                fact=words,
            )
        found = [*frozen_in_vain(audit)]
        for vain, states in found or asked_of_nothing(audit):
            frozen = next((s.frozen_at for s in states if s.frozen_at is not None), None)
            yield self.finding(
                audit,
                states,
                f"{audit.names(states, 'stays', 'stay')} frozen: {vain.sentence}",
                source_at(vain.file, vain.line),
                related=[(frozen, "frozen here")],
                level=None if vain.nearest else "note",
                fact=vain.sentence,
            )
        rest = [state for state in audit.unexplained("frozen") if state.frozen_at is not None]
        injection = put_in_vain(audit) if rest else None
        if injection is not None:
            yield self.finding(
                audit,
                rest,
                f"{audit.names(rest, 'stays', 'stay')} frozen: {injection.sentence}",
                source_at(injection.file, injection.line),
                related=[(injection.test, "asked here"), (rest[0].frozen_at, "frozen here")],
                fix=injection.advice,
                fact=injection.sentence,
            )

    @staticmethod
    def bad() -> Example:
        """The parameters to train are chosen by a misspelt name."""
        import torch
        from torch import nn

        def train() -> None:
            model, x = nn.Sequential(), torch.randn(8, 4)
            model.add_module("encoder", nn.Linear(4, 4))
            model.add_module("adapter", nn.Linear(4, 1))
            for name, parameter in model.named_parameters():
                parameter.requires_grad = "adaptor" in name or name == "encoder.bias"  # FXA309
            optimizer = torch.optim.SGD((p for p in model.parameters() if p.requires_grad), lr=0.1)
            for _ in range(2):
                optimizer.zero_grad()
                model(x).square().mean().backward()
                optimizer.step()

        return Example(train=train)

    @staticmethod
    def good() -> Example:
        """The name is the one that the model has."""
        import torch
        from torch import nn

        def train() -> None:
            model, x = nn.Sequential(), torch.randn(8, 4)
            model.add_module("encoder", nn.Linear(4, 4))
            model.add_module("adapter", nn.Linear(4, 1))
            for name, parameter in model.named_parameters():
                parameter.requires_grad = "adapter" in name or name == "encoder.bias"
            optimizer = torch.optim.SGD((p for p in model.parameters() if p.requires_grad), lr=0.1)
            for _ in range(2):
                optimizer.zero_grad()
                model(x).square().mean().backward()
                optimizer.step()

        return Example(train=train)
