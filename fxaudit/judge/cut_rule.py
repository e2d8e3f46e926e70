"""The shape shared by the rules that name one kind of cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar

from fxaudit.answer.finding import Finding, Level
from fxaudit.capture import operations
from fxaudit.judge.graph import Cut, CutKind
from fxaudit.judge.questions.dead_ends import bound
from fxaudit.judge.questions.never_undone import UNDO, never_undone
from fxaudit.judge.questions.other_ways import other_way
from fxaudit.judge.questions.passed_down import PASSED_DOWN, stopped_before
from fxaudit.judge.questions.turns import turn_never_comes
from fxaudit.judge.rule import Audit, Rule
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.source import SourceLine

__all__ = ["CutRule", "rewrapping_lines"]


OTHER_WAY = "Make the call run that carries gradient: this line keeps it from running."
"""What to do where another call would carry gradient, and does not run."""


class CutRule(Rule):
    """Base of the rules on cuts: groups the parameters whose first cut is of `kind` by the line to blame."""

    kind: ClassVar[CutKind]

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each culprit."""
        groups: dict[tuple[str, int], list[tuple[ParameterState, Cut]]] = {}
        starved = [s for s in audit.unexplained("blocked") if s.arrived == "zero" and is_starved(audit, s)]
        for state in (*audit.unexplained("unreachable"), *starved):
            cause = audit.cause(state)
            if isinstance(cause, Cut) and cause.kind == self.kind:
                culprit = self.culprit(audit, cause)
                key = (culprit.file, culprit.line) if culprit is not None else ("", cause.op)
                groups.setdefault(key, []).append((state, cause))
        for members in groups.values():
            states = [*(state for state, _ in members), *self.companions(audit)]
            cut = members[0][1]
            culprit, moved = self.settled(audit, [state for state, _ in members], cut, self.culprit(audit, cut))
            related = [*moved, *self.related(audit, states, cut)]
            concerned = [state for state, _ in members]
            turn, way = _elsewhere(audit, concerned, cut)
            if turn:
                culprit, related = turn[0][0], [*turn[1:], (culprit, "gradient ends here meanwhile"), *related]
            yield self.finding(
                audit,
                states,
                self.message(audit, states, cut),
                culprit,
                related=related,
                level=self.level_for(audit, states),
                fix=way or self.advice(audit, concerned, cut) + self.edit(audit, cut),
            )

    def advice(self, audit: Audit, states: list[ParameterState], cut: Cut) -> str:
        """What to do, in words."""
        return self.fix

    def edit(self, audit: Audit, cut: Cut) -> str:
        """The diff that follows the fix, where the culprit's line can be edited with certainty."""
        return ""

    def companions(self, audit: Audit) -> list[ParameterState]:
        """The new leaves, to which the gradient goes instead."""
        return [s for s in audit.having("unregistered") if s.explained == [self.code]]

    def culprit(self, audit: Audit, cut: Cut) -> SourceLine | None:
        """The line to blame for `cut`."""
        return audit.op_source(cut.op)

    def settled(
        self, audit: Audit, states: list[ParameterState], cut: Cut, culprit: SourceLine | None
    ) -> tuple[SourceLine | None, list[tuple[SourceLine | None, str]]]:
        """The line to blame where all parameters cut there are known, and what is then related to it."""
        return culprit, []

    def message(self, audit: Audit, states: list[ParameterState], cut: Cut) -> str:
        """What is said about the parameters."""
        raise NotImplementedError

    def related(self, audit: Audit, states: list[ParameterState], cut: Cut) -> list[tuple[SourceLine | None, str]]:
        """Further lines: the other places at which the same parameters are cut."""
        found = []
        for state in states:
            for other in audit.graph.cuts(state.index):
                if other.op != cut.op:
                    name = audit.record.ops[other.op].name
                    found.append((audit.op_source(other.op), f"gradient also ends here, at `{name}`"))
        dead = audit.graph.dead_end(states[0].index)
        if dead is not None and audit.is_thrown_away(dead):
            where = audit.source(bound(audit, states[0], dead))
            found.append((where, "what else is made of it is not used by the loss"))
        raised = next((event for event in audit.graph.backwards if event.error), None)
        if raised is not None:
            found.append((audit.source(raised.stack), f"raises: {raised.error.splitlines()[0][:80]}"))
        return found

    def level_for(self, audit: Audit, states: list[ParameterState]) -> Level:
        """Parameters that nothing holds are taken for intended."""
        return self.level if audit.is_held(states) else "note"


def _elsewhere(audit: Audit, states: list[ParameterState], cut: Cut) -> tuple[list[tuple[SourceLine, str]], str]:
    """(line, role) pairs of what lies elsewhere than the cut and has to be edited in its place, by the first question
    that knows of any, and what to do; nothing where none does."""
    op = audit.record.ops[cut.op] if cut.op >= 0 else None
    asked: tuple[tuple[Callable[[], list[tuple[SourceLine, str]] | None], str], ...] = (
        (lambda: never_undone(audit, op) if op is not None else None, UNDO),
        (lambda: stopped_before(audit, op) if op is not None else None, PASSED_DOWN),
        (lambda: turn_never_comes(audit, states), OTHER_WAY),
        (lambda: other_way(audit, states), OTHER_WAY),
    )
    return next(((found, way) for question, way in asked if (found := question())), ([], ""))


def rewrapping_lines(audit: Audit) -> set[tuple[str, int]]:
    """The (file, line) pairs at which a computed value is made a new leaf: that leaf is no parameter that got lost."""
    cuts = [cut for state in audit.having("unreachable") for cut in audit.graph.cuts(state.index)]
    sources = [audit.op_source(cut.op) for cut in cuts if cut.kind == "rewrapped"]
    return {(source.file, source.line) for source in sources if source is not None}


def is_starved(audit: Audit, state: ParameterState) -> bool:
    """Whether what is left of the gradient is a structural zero, because every path that counts is cut.

    A model that reads one token only brings exact zeros to the others by slicing; the living path was the one cut.
    """
    cuts = [cut for cut in audit.graph.cuts(state.index) if cut.kind not in ("non_differentiable", "left_torch")]
    op = audit.judge.origins.derivative(state.track) if cuts else None
    return op is not None and operations.of(op.name).excerpts
