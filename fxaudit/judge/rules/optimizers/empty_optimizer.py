"""FXA302."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.judge.questions.name_tests import frozen_by_names
from fxaudit.judge.questions.shadowed import passing_override
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.trail import project_stack, source_at
from fxaudit.program.repairs import filled

__all__ = ["EmptyOptimizer"]


class EmptyOptimizer(Rule):
    """The optimizer holds no parameter.

    `SGD([])` is refused by PyTorch with "optimizer got an empty parameter list"; `SGD([{"params": []}])` is accepted
    and never updates anything.
    """

    code, name, level = "FXA302", "empty-optimizer", "error"
    fix = "Pass the model's parameters: `model.parameters()`."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each optimizer without a single tensor, unless an unregistered container explains it."""
        if any(f.code == "FXA205" for f in audit.findings) and not any(s.root is not None for s in audit.states):
            return
        for info in audit.recording.optimizers:
            holds = any(members for _, members in info.groups)
            if holds or (not info.refused and not info.groups) or info.wrapper_of >= 0:
                continue
            states = audit.unexplained("excluded")
            if not states and any(f.code == "FXA205" for f in audit.findings):
                continue
            said = ", and PyTorch refuses it" if info.refused else ""
            built = audit.source(info.created)
            culprit, related, fix = built, [], self.fix
            freeze = _all_frozen_at(audit)
            if freeze >= 0:
                said += ": all are frozen"
                culprit, related = audit.source(freeze), [(built, "the optimizer is built here")]
                vain = frozen_by_names(audit)
                if vain is not None:
                    states, related = audit.unexplained("frozen"), [(culprit, "frozen here"), *related]
                    culprit, said, fix = source_at(vain.file, vain.line), f"{said}, and {vain.sentence}", vain.advice
            elif override := passing_override(audit, states, info.index) if states else None:
                said += f": {override[1].replace('passes over it', 'hands out none')}"
                culprit, related = override[0], [(built, "the optimizer is built here")]
            else:
                fix += filled(built, audit.model_variable(states))
            message = f"`{info.type}` is built without any parameter{said}"
            yield self.finding(audit, states, message, culprit, related=related, fix=fix)

    @staticmethod
    def bad() -> Example:
        """A group that is never filled."""
        import torch
        from torch import nn

        model, x = nn.Linear(4, 1), torch.randn(8, 4)
        optimizer = torch.optim.SGD([{"params": []}], lr=0.1)  # FXA302
        return Example(model, lambda: model(x).square().mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """The group holds the model's parameters."""
        import torch
        from torch import nn

        model, x = nn.Linear(4, 1), torch.randn(8, 4)
        optimizer = torch.optim.SGD([{"params": model.parameters()}], lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)


def _all_frozen_at(audit: Audit) -> int:
    """Where the last of the models' parameters was frozen, if all of them are; else -1."""
    own = [state for state in audit.states if state.root is not None]
    freezes = [max(state.track.freezes, default=(0, True, -1)) for state in own]
    if not own or any(state.requires_grad for state in own) or any(flag for _, flag, _ in freezes):
        return -1
    return project_stack(audit.record.stacks, max(freezes)[2])
