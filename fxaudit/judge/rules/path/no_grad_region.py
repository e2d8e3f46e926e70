"""FXA105."""

from __future__ import annotations

from fxaudit.capture.recording import Op
from fxaudit.judge.cut_rule import CutRule
from fxaudit.judge.graph import Cut
from fxaudit.judge.questions.borrowed import borrowed
from fxaudit.judge.questions.chosen_regions import chosen
from fxaudit.judge.questions.handed_back import handed_back
from fxaudit.judge.questions.regions import decorated, draws, kept_within, misplaced, reused, served, switched_off
from fxaudit.judge.rule import Audit, Example
from fxaudit.judge.trail import project_stack
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.source import SourceLine

__all__ = ["NoGradRegion"]

ANEW = "Compute it anew for this loss, with gradients."
AGAIN = "Compute it anew here, from what is given, and keep the stored one for what it is compared with."
SWITCHED = "Give the flag another value here, so that gradients are on in training."
DRAW = "Draw with `rsample()`: `sample()` of a distribution switches gradients off."
ASKED_ANEW = "Ask for it to be computed anew where it is used in a loss."
CHOSEN = "Set it the other way: what then runs computes this with gradients."
KEPT = "Compute it anew in each call that trains; keep it only while gradients are switched off."


class NoGradRegion(CutRule):
    """The parameter is used only in a region without gradients.

    A `with torch.no_grad():` block, a `@torch.no_grad()` decorator, `set_grad_enabled(False)` or inference mode is open
    while the forward reads the parameter, so what is computed from it is a constant to the loss. The culprit is the
    line that opened the region.
    """

    code, name, level, kind = "FXA105", "no-grad-region", "error", "no_grad"
    has_neutral_form = True
    may_be_meant = True
    fix = "Leave the region before this computation, or remove it from the training path."

    def culprit(self, audit: Audit, cut: Cut) -> SourceLine | None:
        """The user's line that opened the region, or called what opens it, or that set the flag by which it does; the
        operation where that was not seen."""
        op = audit.record.ops[cut.op]
        switched = switched_off(audit, op)
        if switched is not None:
            return switched[0]
        return decorated(audit, op) or _opened(audit, op) or audit.op_source(cut.op)

    def settled(
        self, audit: Audit, states: list[ParameterState], cut: Cut, culprit: SourceLine | None
    ) -> tuple[SourceLine | None, list[tuple[SourceLine | None, str]]]:
        """The line to edit where it is not the one that opens the region, and what is then related to it."""
        set_at = chosen(audit, audit.record.ops[cut.op])
        if set_at:
            return set_at[0][0], [*set_at[1:], (culprit, "the region is opened here")]
        line, place, role, _ = self._moved(audit, states, cut)
        if line is None:
            return culprit, []
        return line, [(place or culprit, role)]

    def advice(self, audit: Audit, states: list[ParameterState], cut: Cut) -> str:
        """What to do with that line; else to leave the region, or to switch it by another flag."""
        if chosen(audit, audit.record.ops[cut.op]):
            return CHOSEN
        line, _, _, fix = self._moved(audit, states, cut)
        if line is None and draws(audit, audit.record.ops[cut.op]):
            return DRAW
        is_switched = line is None and switched_off(audit, audit.record.ops[cut.op]) is not None
        return SWITCHED if is_switched else fix

    def _moved(
        self, audit: Audit, states: list[ParameterState], cut: Cut
    ) -> tuple[SourceLine | None, SourceLine | None, str, str]:
        """(line, related line, its role, help): what keeps the value for a call with gradients, what hands a stored one
        back, the one statement of the block that is in the wrong place, where the rest of it rightly stands there, or
        where what was made for another optimizer's loss is used in this one's."""
        op = audit.record.ops[cut.op]
        kept = _kept(audit, op) if switched_off(audit, op) is None else None
        if kept is not None:
            return kept, None, "the region is opened here", KEPT
        again = _used_again(audit, op)
        taken = reused(audit, again) if again is not None and switched_off(audit, op) is None else None
        if taken is not None:
            return taken, None, "the region is opened here", KEPT
        out = served(audit, op) if switched_off(audit, op) is None else None
        if out is not None:
            return out[0], out[1], "what was made without gradients is handed out here", ASKED_ANEW
        back = handed_back(audit, op, states)
        if back is not None:
            return back, audit.op_source(cut.op), "what is handed back was made here, without gradients", AGAIN
        found = misplaced(audit, op, {state.index for state in states})
        if found is not None:
            return found, None, "the region is opened here", self.fix
        use = self._borrowed(audit, states, cut)
        if use is not None:
            return use, None, "made here without gradients, for another optimizer's loss", ANEW
        return None, None, "", self.fix

    def _borrowed(self, audit: Audit, states: list[ParameterState], cut: Cut) -> SourceLine | None:
        op = audit.record.ops[cut.op]
        return borrowed(audit, op.region, op, {state.index for state in states})

    def message(self, audit: Audit, states: list[ParameterState], cut: Cut) -> str:
        """Names what runs without gradients."""
        return f"{audit.names(states, 'is', 'are')} used only where gradients are switched off"

    def related(self, audit: Audit, states: list[ParameterState], cut: Cut) -> list[tuple[SourceLine | None, str]]:
        """Where a library opens the region, and the first operation inside it."""
        op = audit.record.ops[cut.op]
        inside = (audit.op_source(cut.op), f"`{op.name}` runs inside it")
        user = _used_again(audit, op)
        again = (_outermost_source(audit, user), "what was made in it is used again here")
        opened = (audit.source(op.region), "the region is opened here")
        switched = switched_off(audit, op)
        behind = [] if switched is None else [(_opened(audit, op), "the region is opened here"), *switched[1]]
        return [*behind, opened, again, inside, *super().related(audit, states, cut)]

    @staticmethod
    def bad() -> Example:
        """A backbone that runs without gradients, although the optimizer holds it."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.backbone = nn.Linear(4, 4)
                self.head = nn.Linear(4, 1)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                with torch.no_grad():  # FXA105
                    h = self.backbone(x)
                return torch.sigmoid(self.head(h))

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """The backbone runs with gradients."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.backbone = nn.Linear(4, 4)
                self.head = nn.Linear(4, 1)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                h = self.backbone(x)
                return torch.sigmoid(self.head(h))

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)


def _kept(audit: Audit, op: Op) -> SourceLine | None:
    """What keeps what was made in the region for a later call with gradients."""
    return kept_within(audit, op) if _used_again(audit, op) is not None else None


def _opened(audit: Audit, op: Op) -> SourceLine | None:
    return audit.source(project_stack(audit.record.stacks, op.region))


def _outermost_source(audit: Audit, op: Op | None) -> SourceLine | None:
    """The line of the outermost module call that an operation ran in."""
    call = _outermost(audit, op) if op is not None else -1
    return audit.source(audit.record.calls[call].stack) if call >= 0 else None


def _used_again(audit: Audit, made: Op) -> Op | None:
    """The first operation of a later call that is given what an earlier one made in the region and kept, as in a cache;
    None where there is none."""
    values, graph, queue, seen = audit.record.values, audit.graph, list(made.outputs), set(made.outputs)
    first = _outermost(audit, made)
    while queue and first >= 0:
        for op in graph.consumers.get(queue.pop(0), ()):
            if op.grad_enabled and _outermost(audit, op) > first:
                return op
            fresh = [out for out in op.outputs if out not in seen and out in graph.reaching]
            seen.update(fresh)
            queue += [out for out in fresh if not values[out].requires_grad]
    return None


def _outermost(audit: Audit, op: Op) -> int:
    """The outermost module call that an operation ran in; -1 outside of all."""
    call = op.module
    while call >= 0 and audit.record.calls[call].parent >= 0:
        call = audit.record.calls[call].parent
    return call
