"""FXA305."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.verdict import ParameterState

__all__ = ["HeldTwice"]


class HeldTwice(Rule):
    """Two optimizers, or two groups, step the same parameter.

    Each applies its own update, so the parameter moves by both.

    May be intended when the optimizers take turns.
    """

    code, name, level = "FXA305", "held-twice", "warning"
    explains = frozenset()
    fix = "Give each parameter to one optimizer only."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each pair of optimizers that step the same tensors on the same gradient."""
        groups: dict[tuple[int, ...], list[ParameterState]] = {}
        for state in audit.states:
            holders = tuple(sorted({index for index, _ in state.held}))
            if (
                len(holders) > 1
                and _both_step_one_gradient(state, audit.judge.looped)
                and not _is_shared(audit, holders)
            ):
                groups.setdefault(holders, []).append(state)
        for holders, states in groups.items():
            last = audit.recording.optimizers[holders[-1]]
            first = audit.recording.optimizers[holders[0]]
            yield self.finding(
                audit,
                states,
                f"{audit.called(first.index)} and {audit.called(last.index)} both hold {audit.names(states)}",
                audit.source(last.created),
                related=[(audit.source(first.created), "the other optimizer is built here")],
            )

    @staticmethod
    def bad() -> Example:
        """An optimizer for the whole model, and another one for its head."""
        import torch
        from torch import nn

        def train() -> None:
            model, x = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1)), torch.randn(8, 4)
            head = torch.optim.SGD(model[2].parameters(), lr=1.0)
            body = torch.optim.SGD(model.parameters(), lr=0.1)  # FXA305
            for _ in range(3):
                model.zero_grad()
                model(x).square().mean().backward()
                head.step()
                body.step()

        return Example(train=train)

    @staticmethod
    def good() -> Example:
        """Each parameter has one optimizer."""
        import torch
        from torch import nn

        def train() -> None:
            model, x = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1)), torch.randn(8, 4)
            head = torch.optim.SGD(model[2].parameters(), lr=1.0)
            body = torch.optim.SGD(model[0].parameters(), lr=0.1)
            for _ in range(3):
                model.zero_grad()
                model(x).square().mean().backward()
                head.step()
                body.step()

        return Example(train=train)


def _is_shared(audit: Audit, holders: tuple[int, ...]) -> bool:
    """Whether the optimizers share their groups: one steps through the other, as SAM does through its base."""
    groups = [audit.recording.optimizers[index].group_ids for index in holders]
    return all(groups[0] & others for others in groups[1:])


def _both_step_one_gradient(state: ParameterState, looped: bool) -> bool:
    if not looped:
        return True
    by_backward: dict[int, set[int]] = {}
    for fact in state.facts:
        if fact.gradient == "finite":
            by_backward.setdefault(fact.last_backward, set()).add(fact.optimizer)
    return any(len(optimizers) > 1 for optimizers in by_backward.values())
