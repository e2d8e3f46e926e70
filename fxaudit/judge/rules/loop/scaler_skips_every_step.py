"""FXA406."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.capture.events import ScalerEvent, ScalerStepEvent
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.trail import common_frame, share_a_loop
from fxaudit.judge.verdict import ParameterState

__all__ = ["ScalerSkipsEveryStep"]


class ScalerSkipsEveryStep(Rule):
    """The gradient scaler skips every step.

    It found infinities or NaNs in the scaled gradients each time. A scaler halves its scale until they fit, but not one
    that is made anew in each round, and not where the gradients are not finite at any scale.
    """

    code, name, level = "FXA406", "scaler-skips-every-step", "error"
    needs_a_run = True
    fix = "Make one `GradScaler` before the loop; if it still skips, look for the operation that gives NaN or infinity."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each optimizer that the scaler never let step."""
        events = audit.record.events
        groups: dict[int, list[ParameterState]] = {}
        for state in audit.unexplained("blocked"):
            skips = [e for e in events if isinstance(e, ScalerStepEvent) and e.skipped and state.index in e.tracks]
            if skips and not state.facts and not audit.is_skipped_for_nan(state):  # FXA502 names what makes it NaN
                groups.setdefault(skips[-1].stack, []).append(state)
        for stack, states in groups.items():
            made = [e for e in events if isinstance(e, ScalerEvent)]
            at = made[-1].stack if made else -1
            again = len({e.stack for e in made}) < len(made) and share_a_loop(audit.record.stacks, at, stack)
            # Where a function makes it again and again, the call is to be moved, and not what stands in the function.
            built = audit.source(common_frame(audit.record.stacks, at, stack) if again else at) if made else None
            stepped = audit.source(stack)
            culprit, related = (
                (built, [(stepped, "skips here")]) if again else (stepped, [(built, "the scaler is made here")])
            )
            yield self.finding(
                audit,
                states,
                f"the gradient scaler skips every step of {audit.names(states)}"
                + (": it is made anew in each round" if again else ""),
                culprit,
                related=related,
            )

    @staticmethod
    def bad() -> Example:
        """A scaler that forgets in each round what it has learnt."""
        import torch
        from torch import nn

        def train() -> None:
            torch.manual_seed(0)
            model, x = nn.Linear(4, 1), 10 * torch.randn(8, 4)
            optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
            for _ in range(12):
                scaler = torch.amp.GradScaler("cpu")  # FXA406
                optimizer.zero_grad()
                with torch.autocast("cpu", dtype=torch.float16):
                    loss = model(x).square().mean()
                scaler.scale(loss).backward()
                scaler.step(optimizer)
                scaler.update()

        return Example(train=train)

    @staticmethod
    def good() -> Example:
        """One scaler for the whole loop finds its scale."""
        import torch
        from torch import nn

        def train() -> None:
            torch.manual_seed(0)
            model, x = nn.Linear(4, 1), 10 * torch.randn(8, 4)
            optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
            scaler = torch.amp.GradScaler("cpu")
            for _ in range(12):
                optimizer.zero_grad()
                with torch.autocast("cpu", dtype=torch.float16):
                    loss = model(x).square().mean()
                scaler.scale(loss).backward()
                scaler.step(optimizer)
                scaler.update()

        return Example(train=train)
