"""FXA402."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.blame import binding_stack, skipping_return, why_never_called
from fxaudit.finding import Finding
from fxaudit.rule import Audit, Example, Rule

__all__ = ["BackwardNeverCalled"]


class BackwardNeverCalled(Rule):
    """`backward` is never called, or not for this parameter.

    The loss is computed, and no gradient with it: the call is missing, never reached, raises, or is limited with
    `inputs=` to other parameters.
    """

    code, name, level = "FXA402", "backward-never-called", "error"
    fix = "Call `loss.backward()` before `optimizer.step()`."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding: for all parameters that a backward could reach and none does."""
        states = [s for s in audit.unexplained("blocked") if s.arrived == "none"]
        if not states:
            return
        events = audit.graph.backwards
        if not events:
            losses = audit.graph.losses
            loss = audit.record.values[losses[-1]].op if losses else -1
            where = audit.record.ops[loss].stack if loss >= 0 else -1
            bound = audit.source(binding_stack(audit.record.stacks, where)) if where >= 0 else None
            why = why_never_called(audit.record, "backward")
            culprit = why[0][0] if why else bound
            skipped = skipping_return(audit.record.stacks, where) if not why and where >= 0 else None
            related = [
                *why[1:],
                (skipped, "this branch returns without the loss"),
                (bound, "the loss is computed here"),
            ]
            if bound is None and states[0].held:
                built = audit.session.optimizers[states[0].held[0][0]].created
                related.append((audit.source(built), "the optimizer is built here, and no loss is computed"))
            yield self.finding(
                audit,
                states,
                f"`backward` is never called, so {audit.names(states, 'stays as it is', 'stay as they are')}",
                culprit,
                related=related,
            )
            return
        for event in events:
            hit = [s for s in states if s.index in event.reached and not s.explained]
            if not hit:
                continue
            if event.restricted:
                yield self.finding(
                    audit,
                    hit,
                    f"`backward(inputs=…)` leaves out {audit.names(hit)}",
                    audit.source(event.stack),
                    fix="Call `backward()` without `inputs=`, or list these parameters too.",
                )
            elif event.error:
                yield self.finding(
                    audit,
                    hit,
                    f"`backward` raises: {event.error.splitlines()[0][:60]}",
                    audit.source(event.stack),
                    fix="Make backward run through: read the error it raises.",
                )

    @staticmethod
    def bad() -> Example:
        """A loss that is logged, and nothing else."""
        import torch
        from torch import nn

        def train() -> None:
            model, x = nn.Linear(4, 1), torch.randn(8, 4)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for _ in range(3):
                optimizer.zero_grad()
                loss = model(x).square().mean()  # FXA402
                print(f"loss {loss.item():.3f}")
                optimizer.step()

        return Example(train=train)

    @staticmethod
    def good() -> Example:
        """The loss is sent backward."""
        import torch
        from torch import nn

        def train() -> None:
            model, x = nn.Linear(4, 1), torch.randn(8, 4)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for _ in range(3):
                optimizer.zero_grad()
                loss = model(x).square().mean()
                print(f"loss {loss.item():.3f}")
                loss.backward()
                optimizer.step()

        return Example(train=train)
