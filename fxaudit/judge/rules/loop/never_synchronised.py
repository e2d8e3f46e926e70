"""FXA409."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.capture.frozen import Mirror
from fxaudit.judge.rule import Audit, Example, Rule

__all__ = ["NeverSynchronised"]


class NeverSynchronised(Rule):
    """No backward averages the gradients of a `DistributedDataParallel` over the processes.

    Averaging belongs to the wrapper's own forward: under `no_sync()` it is left out, and calling the model inside
    (`ddp.module(x)`) goes past it. Every process then trains a model of its own on its share of the data; nothing
    fails, and the models drift apart.

    May be intended when the program averages the gradients, or the models, itself.
    """

    code, name, level = "FXA409", "never-synchronised", "warning"
    explains = frozenset()
    needs_a_run = True
    fix = "Call the wrapper itself, and leave `no_sync()` before the last backward of every step."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each wrapper without any synchronised call."""
        for mirror in audit.recording.mirrors:
            if len(mirror.calls) > len(mirror.unsynchronised):
                continue
            tracks = set(mirror.tracks)
            states = [s for s in audit.having("trained") if s.index in tracks and s.facts]
            if not states:
                continue
            built = audit.source(audit.recording.modules[mirror.module].created)
            if mirror.calls:
                told, stack = "no backward averages the gradients of", _switched_off(audit, mirror)
            else:
                told, stack = "no call of the wrapper averages the gradients of", _called_past(audit, mirror)
            yield self.finding(
                audit,
                states,
                f"{told} {audit.names(states)}",
                audit.source(stack) or built,
                related=[(built, "wrapped here")],
            )

    @staticmethod
    def bad() -> Example:
        """Accumulation that never comes to its end."""
        import torch
        from torch import distributed, nn

        def train() -> None:
            distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
            model, x = nn.parallel.DistributedDataParallel(nn.Linear(4, 1)), torch.randn(8, 4)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for _ in range(3):
                optimizer.zero_grad()
                with model.no_sync():  # FXA409
                    model(x).square().mean().backward()
                optimizer.step()
            distributed.destroy_process_group()

        return Example(train=train)

    @staticmethod
    def good() -> Example:
        """The last backward of every step is synchronised."""
        import torch
        from torch import distributed, nn

        def train() -> None:
            distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
            model, x = nn.parallel.DistributedDataParallel(nn.Linear(4, 1)), torch.randn(8, 4)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for _ in range(3):
                optimizer.zero_grad()
                with model.no_sync():
                    model(x).square().mean().backward()
                model(x).square().mean().backward()
                optimizer.step()
            distributed.destroy_process_group()

        return Example(train=train)


def _switched_off(audit: Audit, mirror: Mirror) -> int:
    """The stack of the line that switched averaging off before the last call: `with ddp.no_sync():`."""
    last = audit.record.calls[mirror.unsynchronised[-1]]
    writes = audit.recording.modules[mirror.module].attributes.get("require_backward_grad_sync", [])
    before = [stack for time, stack, _ in writes if time <= last.time]
    return before[-1] if before else last.stack


def _called_past(audit: Audit, mirror: Mirror) -> int:
    """The stack of the last outermost call of the model inside the wrapper."""
    calls = [call for call in audit.record.calls if call.module in mirror.inside and call.training and call.parent < 0]
    return calls[-1].stack if calls else -1
