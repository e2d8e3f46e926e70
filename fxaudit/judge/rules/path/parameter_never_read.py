"""FXA102."""

from __future__ import annotations

from collections.abc import Iterator

from fxaudit.answer.finding import Finding, Level
from fxaudit.capture.recording import Op
from fxaudit.judge.questions.given_instead import GivenInstead, given_instead
from fxaudit.judge.questions.mentions import Unreached, is_missed, unreached_mention
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.verdict import ParameterState

__all__ = ["ParameterNeverRead"]


class ParameterNeverRead(Rule):
    """A parameter is never read.

    Its module runs, but no operation of the forward uses the parameter, so it receives no gradient.
    """

    code, name, level = "FXA102", "parameter-never-read", "error"
    may_be_meant = True
    fix = "Use the parameter in forward, or delete it."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each parameter of a called module that nothing reads; those that one branch keeps from being
        read are one finding, and so is the same parameter of repeated blocks."""
        groups: dict[object, tuple[Unreached, Level, list[ParameterState]]] = {}
        instead: dict[GivenInstead, list[ParameterState]] = {}
        for state in (*audit.unexplained("unreachable"), *audit.starved()):
            if state.root is None or not is_missed(audit, state):
                continue
            given = given_instead(audit, state)
            if given is not None:
                instead.setdefault(given, []).append(state)
                continue
            unreached = unreached_mention(audit, state.root.index, state.local_name)
            line = unreached.culprit
            default = line is not None and line.library and audit.is_library_made([state])
            meant = not state.held or default or unreached.random or state.is_starved
            level: Level = "note" if meant else "warning" if unreached.condition else "error"
            leaf = "" if unreached.condition else state.local_name.rpartition(".")[2]
            where = (line.file, line.line) if line is not None else (state.root.index,)
            key = (where, unreached.condition, leaf, level)
            groups.setdefault(key, (unreached, level, []))[2].append(state)
        for unreached, level, states in groups.values():
            message = f"{audit.names(states, 'is', 'are')} never read"
            if unreached.condition:
                message += f": {unreached.condition}"
            fix, related = unreached.advice or None, unreached.related
            yield self.finding(audit, states, message, unreached.culprit, related=related, level=level, fix=fix)
        for given, states in instead.items():
            message = f"{audit.names(states, 'is', 'are')} never read: `functional_call` runs with another tensor"
            message += f", as {given.words}" if given.words else ""
            related = [(given.line, "another tensor takes its place here")] if given.let_in is not None else []
            made = [(audit.source(states[0].track.created), "made here")]
            culprit, level = given.let_in or given.line, "error" if audit.is_held(states) else "note"
            yield self.finding(audit, states, message, culprit, related=[*related, *made], level=level, fix=given.fix)
        yield from self._read_while_frozen(audit)

    def _read_while_frozen(self, audit: Audit) -> Iterator[Finding]:
        """The same for what is read no more once it is unfrozen; where no backward ran since, the next may do it."""
        groups: dict[int, list[tuple[ParameterState, Op]]] = {}
        times: dict[int, int] = {}
        for state in audit.unexplained("unreachable"):
            thawed = audit.graph.thawed_after_use(state.index)
            if thawed is not None:
                times[thawed[1]] = thawed[0]
                groups.setdefault(thawed[1], []).append((state, thawed[2]))
        for stack, members in groups.items():
            states = [state for state, _ in members]
            last = max((op for _, op in members), key=lambda op: op.index)
            is_over = any(event.time >= times[stack] for event in audit.graph.backwards)
            yield self.finding(
                audit,
                states,
                f"nothing reads {audit.names(states)} once they are unfrozen",
                audit.source(stack),
                related=[(audit.op_source(last.index), "read here last, while frozen")],
                fix="Unfreeze before the last use, or use them afterwards, too.",
                level="warning" if is_over and audit.is_held(states) else "note",
            )

    @staticmethod
    def bad() -> Example:
        """A scale that forward does not use."""
        import torch
        from torch import nn

        class ScaledLinear(nn.Linear):
            def __init__(self) -> None:
                super().__init__(4, 1)
                self.scale = nn.Parameter(torch.ones(1))

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return nn.functional.linear(x, self.weight, self.bias)  # FXA102

        model, x = ScaledLinear(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """Forward multiplies with the scale."""
        import torch
        from torch import nn

        class ScaledLinear(nn.Linear):
            def __init__(self) -> None:
                super().__init__(4, 1)
                self.scale = nn.Parameter(torch.ones(1))

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return nn.functional.linear(x, self.weight * self.scale, self.bias)

        model, x = ScaledLinear(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)
