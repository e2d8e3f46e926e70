"""FXA310."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.judge.questions.slips import frozen_by_a_slip
from fxaudit.judge.rule import Audit, Example, Rule

__all__ = ["FrozenByASlip"]


class FrozenByASlip(Rule):
    """Parameters are frozen by a line that does not do what it seems to.

    A test is true of every name (`"a" in name or "b"`), `"blocks.1" in name` holds of `blocks.10`, too, or
    `name.startswith("text")` of `text_proj`, which is new, a text that means no is taken for a flag (`bool("0")`), an
    option of the command line is `store_false`, or `--no-freeze` stores True, a text is gone through letter by letter
    where a list was meant, `re.match` asks how a name begins where it was to search it, a base configuration is merged
    over the one that begins with it, flags are put back that were read after they had been switched off, a shallow copy
    of a module is frozen, and with it the module itself, or `requires_grad == True` compares where it was to set.
    """

    code, name, level = "FXA310", "frozen-by-a-slip", "warning"
    explains = frozenset({"frozen"})
    fix = "Write the line so that it does what was meant."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each such line."""
        for slip, states in frozen_by_a_slip(audit):
            frozen = next((s.frozen_at for s in states if s.frozen_at is not None), None)
            yield self.finding(
                audit,
                states,
                f"{audit.names(states, 'is', 'are')} frozen: {slip.words}",
                slip.culprit,
                related=[(frozen, "frozen here")],
                fix=slip.fix,
                fact=slip.words,
            )

    @staticmethod
    def bad() -> Example:
        """A shallow copy is frozen, and with it the model."""
        import copy

        import torch
        from torch import nn

        def train() -> None:
            model, head, x = nn.Linear(4, 4), nn.Linear(4, 1), torch.randn(8, 4)
            average = copy.copy(model)  # FXA310
            average.requires_grad_(False)
            trained = [p for p in [*model.parameters(), *head.parameters()] if p.requires_grad]
            optimizer = torch.optim.SGD(trained, lr=0.1)
            for _ in range(2):
                optimizer.zero_grad()
                head(model(x)).square().mean().backward()
                optimizer.step()

        return Example(train=train)

    @staticmethod
    def good() -> Example:
        """A copy with parameters of its own is frozen."""
        import copy

        import torch
        from torch import nn

        def train() -> None:
            model, head, x = nn.Linear(4, 4), nn.Linear(4, 1), torch.randn(8, 4)
            average = copy.deepcopy(model)
            average.requires_grad_(False)
            trained = [p for p in [*model.parameters(), *head.parameters()] if p.requires_grad]
            optimizer = torch.optim.SGD(trained, lr=0.1)
            for _ in range(2):
                optimizer.zero_grad()
                head(model(x)).square().mean().backward()
                optimizer.step()

        return Example(train=train)
