"""FXA902."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.trail import why_never_called
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.source import SourceLine

__all__ = ["NothingRecorded"]

SEEN = "Look at this line: what it makes passes no gradient on. `audit` with a closure in place of the loss says why."
UNSEEN = (
    "Give `audit` a closure that computes the loss, such as `lambda: criterion(model(x), y)`, or compute it inside "
    "`with fxaudit.watch():`; then the line is named."
)


class NothingRecorded(Rule):
    """No forward was seen, or no backward.

    Without them there is nothing to judge by. A loss that was computed before `audit` was called tells by its autograd
    graph which parameters it reaches, and nothing of the lines that kept it from the others.
    """

    code, name, level = "FXA902", "nothing-recorded", "note"
    fix = "Check that the script trains in this process, and that it gets as far as its loop."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding if neither was seen although the program was watched, or the loss was there already."""
        if audit.recording.forward_unseen:
            yield from self._before_the_audit(audit)
            return
        if not audit.judge.looped or not audit.judge.saw_nothing:
            return
        if not audit.recording.optimizers:
            yield self.finding(audit, [], "no `forward`, no `backward` and no optimizer was seen", None)
        elif audit.recording.mode.is_part:
            why = why_never_called(audit.record, "backward")
            culprit = why[0][0] if why else None
            yield self.finding(audit, [], "no `forward`, no `backward` and no step was seen", culprit, related=why[1:])

    def _before_the_audit(self, audit: Audit) -> Iterator[Finding]:
        """What the loss does not reach, by the line where an earlier `watch` saw it cut off."""
        groups: dict[tuple[str, int] | None, tuple[SourceLine | None, list[ParameterState]]] = {}
        for state in audit.unexplained("unreachable", unrecorded=True):
            line = state.track.cut_before
            groups.setdefault((line.file, line.line) if line is not None else None, (line, []))[1].append(state)
        for line, states in groups.values():
            yield self.finding(
                audit,
                states,
                f"no gradient leads from the loss to {audit.names(states)}"
                + (": it ends here" if line is not None else "; its forward was not recorded"),
                line,
                level="error" if audit.is_held(states) else "note",
                fix=SEEN if line is not None else UNSEEN,
            )

    @staticmethod
    def bad() -> Example:
        """A cross-validation without folds."""
        import torch
        from torch import nn

        def train() -> None:
            for _ in range(0):
                model, x = nn.Linear(4, 1), torch.randn(8, 4)
                optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
                model(x).square().mean().backward()
                optimizer.step()

        return Example(train=train)

    @staticmethod
    def good() -> Example:
        """One fold."""
        import torch
        from torch import nn

        def train() -> None:
            for _ in range(1):
                model, x = nn.Linear(4, 1), torch.randn(8, 4)
                optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
                model(x).square().mean().backward()
                optimizer.step()

        return Example(train=train)
