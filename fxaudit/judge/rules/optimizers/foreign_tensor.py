"""FXA303."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.capture.registry import OptimizerInfo
from fxaudit.judge.questions.mentions import Related, Unreached
from fxaudit.judge.questions.variables import unused_variable
from fxaudit.judge.questions.written_back import copied_parameters, never_written_back
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.source import SourceLine

__all__ = ["ForeignTensor"]


class ForeignTensor(Rule):
    """An optimizer holds a tensor that no model has and no loss reaches.

    Stepping it changes nothing that matters. It was made beside the model, is a copy that nobody writes back, or
    belongs to a model that is no longer used.
    """

    code, name, level = "FXA303", "foreign-tensor", "error"
    fix = "Build the optimizer from the parameters of the model that computes the loss."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each optimizer that holds such tensors."""
        for info in audit.recording.optimizers:
            states = [s for s in audit.unexplained("stale") if any(index == info.index for index, _ in s.held)]
            if not states:
                continue
            by_test: dict[SourceLine | None, tuple[Unreached | None, list[ParameterState]]] = {}
            for state in states:
                use = unused_variable(audit, audit.source(state.track.created))
                by_test.setdefault(use.culprit if use is not None else None, (use, []))[1].append(state)
            for use, some in by_test.values():
                copied = copied_parameters(audit, some) if use is None and audit.judge.looped else []
                lost = [state for state in copied if state.verdict != "trained"]
                if lost:
                    yield self._of_copies(audit, info, some, lost)
                else:
                    yield self._finding(audit, info, some, use)

    def _of_copies(
        self, audit: Audit, info: OptimizerInfo, states: list[ParameterState], copied: list[ParameterState]
    ) -> Finding:
        """The finding on copies that are stepped, and never put into the model."""
        made, built = audit.source(states[0].track.created), audit.source(info.created)
        why = never_written_back(audit)
        return self.finding(
            audit,
            [*states, *copied],
            f"`{info.type}` steps copies of {audit.names(copied)}, and nobody writes them back",
            why[0][0] if why else made or built,
            related=[*why[1:2], (made, "copied here"), (built, "the optimizer is built here")],
            fix="Copy what was stepped back into the model's parameters after each step: `p.copy_(master)`.",
        )

    def _finding(
        self, audit: Audit, info: OptimizerInfo, states: list[ParameterState], use: Unreached | None
    ) -> Finding:
        message = f"`{info.type}` holds {audit.names(states)}, which no model has and no loss reaches"
        excluded = audit.having("excluded")
        built = audit.source(info.created)
        related: Related = [(audit.source(states[0].track.created), "the tensor is made here")]
        if use is not None:
            related, message = [*use.related, (built, "the optimizer is built here")], f"{message}: {use.condition}"
        gave_way = all(_gave_way(audit, state) for state in states)
        if gave_way:
            message = f"`{info.type}` holds {audit.names(states)}, whose place another tensor took that it trains"
        return self.finding(
            audit,
            states,
            message,
            built if use is None else use.culprit,
            related=related,
            level="error" if excluded else "note" if gave_way else "warning",
            fix=None if use is None else "Let the loss use it in each step, or leave it out of the optimizer.",
        )

    @staticmethod
    def bad() -> Example:
        """A temperature that the optimizer holds and the loss does without."""
        import torch
        from torch import nn

        model, x = nn.Linear(4, 1), torch.randn(8, 4)
        temperature = nn.Parameter(torch.ones(()))
        optimizer = torch.optim.SGD([*model.parameters(), temperature], lr=0.1)  # FXA303
        return Example(model, lambda: model(x).square().mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """The loss uses the temperature."""
        import torch
        from torch import nn

        model, x = nn.Linear(4, 1), torch.randn(8, 4)
        temperature = nn.Parameter(torch.ones(()))
        optimizer = torch.optim.SGD([*model.parameters(), temperature], lr=0.1)
        return Example(model, lambda: (model(x) / temperature).square().mean(), optimizer)


def _gave_way(audit: Audit, state: ParameterState) -> bool:
    """Whether another tensor stands in its place that is trained, as where weights are tied late."""
    trained = {other.index for other in audit.states if other.verdict == "trained"}
    owner, _, slot = state.name.removesuffix(" (old)").rpartition(".")
    for model in audit.recording.models:
        path = owner.removeprefix(model.prefix)
        way = audit.recording.way(model.root, path)
        before = audit.recording.history.get((model.root.index, f"{path}.{slot}" if path else slot), ())
        stood_there = any(track == state.index for _, track in before)
        if stood_there and len(way) == path.count(".") + 1 + bool(path) and way[-1].parameters.get(slot) in trained:
            return True
    return False
