"""FXA411."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fxaudit.answer.finding import Finding, Level
from fxaudit.answer.folding import fold_sentence
from fxaudit.judge.rule import Audit, Example, Rule, related_lines
from fxaudit.program.source import SourceLine

__all__ = ["Stop", "StopsLater"]


@dataclass(frozen=True, slots=True)
class Stop:
    """Parameters that trained in the recorded steps, and that did not in the last `silent` of `steps` after them."""

    names: tuple[str, ...]
    reason: str
    """What keeps them from training now, as a sentence."""
    silent: int
    steps: int
    is_meant: bool
    """The program froze them itself."""
    culprit: SourceLine | None
    related: tuple[tuple[SourceLine | None, str], ...] = ()


class StopsLater(Rule):
    """A parameter trains at first and then no more, while the loop goes on.

    Its learning rate has become 0 or no gradient arrives any more. It is noticed with `--to-end` and in a `watch`
    block, where the loop is looked at until its end. May be intended when a phase of the training is meant to leave it
    alone.
    """

    code, name, level = "FXA411", "stops-later", "warning"
    needs_a_run = True
    fix = "Look at what the schedule does after its last change: let the rate end above 0, or end the loop there."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """Nothing of the recorded steps; `told` says what came after them."""
        return iter(())

    def told(self, stop: Stop, every: Sequence[str]) -> Finding:
        """The finding on what stopped; `every` holds the names of all parameters."""
        level: Level = "note" if stop.is_meant else self.level
        names = [_full_name(name, every) for name in stop.names]
        return Finding(
            code=self.code,
            name=self.name,
            level=level,
            message=f"{fold_sentence(names, every, limit=1)} stopped training: {stop.reason} in the last "
            f"{stop.silent} of {stop.steps} steps",
            fix=self.fix,
            parameters=tuple(names),
            culprit=stop.culprit,
            related=related_lines(stop.culprit, stop.related),
        )

    @staticmethod
    def bad() -> Example:
        """A schedule that is over long before the loop."""
        import torch
        from torch import nn
        from torch.optim.lr_scheduler import StepLR

        def train() -> None:
            model, x = nn.Linear(4, 1), torch.randn(8, 4)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            scheduler = StepLR(optimizer, step_size=5, gamma=0.0)  # FXA411
            for _ in range(40):
                optimizer.zero_grad()
                model(x).square().mean().backward()
                optimizer.step()
                scheduler.step()

        return Example(train=train)

    @staticmethod
    def good() -> Example:
        """The rate becomes smaller and stays above 0."""
        import torch
        from torch import nn
        from torch.optim.lr_scheduler import StepLR

        def train() -> None:
            model, x = nn.Linear(4, 1), torch.randn(8, 4)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            scheduler = StepLR(optimizer, step_size=5, gamma=0.5)
            for _ in range(40):
                optimizer.zero_grad()
                model(x).square().mean().backward()
                optimizer.step()
                scheduler.step()

        return Example(train=train)


def _full_name(name: str, every: Sequence[str]) -> str:
    """The name in the report of what is called `name` in its own model."""
    if name in every:
        return name
    return next((full for full in every if full.endswith(f".{name}")), name)
