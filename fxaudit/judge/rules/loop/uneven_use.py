"""FXA410."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.capture.events import BackwardEvent
from fxaudit.capture.frozen import Mirror
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.verdict import ParameterState

__all__ = ["UnevenUse"]


class UnevenUse(Rule):
    """A parameter of a `DistributedDataParallel` is used in some backwards, or on some ranks, and not in others.

    The wrapper averages every gradient over the processes, and waits until all have arrived on all of them. Where one
    is missing, the next forward raises "Expected to have finished reduction in the prior iteration", while the ranks
    that have a gradient wait for the others for ever.
    """

    code, name, level = "FXA410", "uneven-use", "error"
    explains = frozenset({"blocked"})
    needs_a_run = True
    fix = "Use it in every forward on every rank, or wrap with `find_unused_parameters=True`."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each wrapper that is left waiting. Between ranks, `fxaudit.run.ranks.merge` finds it."""
        for mirror in audit.recording.mirrors:
            if not mirror.waits or not mirror.calls or mirror.unsynchronised:
                continue
            states = [s for s in audit.states if s.index in mirror.tracks and s.requires_grad]
            for event, missing in _left_waiting(audit, mirror, states):
                used = [s for s in missing if s.reached_in and s.verdict in ("trained", "blocked")]
                if not used:
                    continue
                yield self.finding(
                    audit,
                    used,
                    f"one backward brings no gradient to {audit.names(used)}, others do",
                    audit.source(audit.recording.modules[mirror.module].created),
                    related=[(audit.source(event.stack), "this backward goes without")],
                )
                break

    @staticmethod
    def bad() -> Example:
        """A layer that is left out in every other forward."""
        import torch
        from torch import distributed, nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.body, self.extra = nn.Linear(4, 4), nn.Linear(4, 4)

            def forward(self, x: torch.Tensor, deep: bool) -> torch.Tensor:
                x = self.body(x)
                return self.extra(x) if deep else x

        def train() -> None:
            distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
            model, x = nn.parallel.DistributedDataParallel(Net()), torch.randn(8, 4)  # FXA410
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for step in range(2):
                optimizer.zero_grad()
                model(x, step == 0).square().mean().backward()
                optimizer.step()
            distributed.destroy_process_group()

        return Example(train=train)

    @staticmethod
    def good() -> Example:
        """The wrapper looks for what is not used."""
        import torch
        from torch import distributed, nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.body, self.extra = nn.Linear(4, 4), nn.Linear(4, 4)

            def forward(self, x: torch.Tensor, deep: bool) -> torch.Tensor:
                x = self.body(x)
                return self.extra(x) if deep else x

        def train() -> None:
            distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
            net, x = Net(), torch.randn(8, 4)
            model = nn.parallel.DistributedDataParallel(net, find_unused_parameters=True)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for step in range(2):
                optimizer.zero_grad()
                model(x, step == 0).square().mean().backward()
                optimizer.step()
            distributed.destroy_process_group()

        return Example(train=train)


def _left_waiting(
    audit: Audit, mirror: Mirror, states: list[ParameterState]
) -> Iterator[tuple[BackwardEvent, list[ParameterState]]]:
    """The backwards after a call of the wrapper that reach some of its parameters and not all, with those they miss.

    Only where one forward stands before each backward: several losses of one forward are reduced in their own way.
    """
    events = [event for event in audit.graph.backwards if event.reached & set(mirror.tracks)]
    start = -1
    for event in events:
        calls = [call for call in mirror.calls if start <= audit.record.calls[call].time < event.time]
        start = event.time
        if len(calls) != 1 or event.restricted or event.error:
            continue
        missing = [state for state in states if state.index not in event.reached and state.index not in event.arrived]
        if missing:
            yield event, missing
