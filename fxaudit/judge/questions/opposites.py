"""A filter that was to take all that another one leaves, and leaves some of it, too."""

from __future__ import annotations

from collections.abc import Iterable

from fxaudit.judge.questions.left_out import Told
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.opposites import Pair, pairs_in
from fxaudit.program.tree import tree_of

__all__ = ["REST", "left_by_both"]

REST = "Let this filter take all that the other one leaves: neither of them takes these."


def left_by_both(audit: Audit, states: list[ParameterState], places: Iterable[tuple[str, int]]) -> Told | None:
    """The filter that was written as the opposite of the one beside it, and is not, where neither is seen to take one
    of the parameters; `places` are the statements by which they may have been chosen."""
    ran, found = audit.record.ran(), set[tuple[str, Pair]]()
    for file, line in places:
        tree = tree_of(file)
        statement = tree.statement_at(line) if tree is not None else None
        for pair in pairs_in(tree, tree.function(statement)) if tree is not None and statement is not None else ():
            if {pair.slipped.line, pair.other.line} <= ran.of(file) and _leaves(audit, pair, states):
                found.add((file, pair))
    if len(found) != 1:
        return None
    ((file, pair),) = found
    return source_at(file, pair.slipped.line), [(source_at(file, pair.other.line), "the other one takes these")]


def _leaves(audit: Audit, pair: Pair, states: list[ParameterState]) -> bool:
    """Whether neither filter takes one of the parameters, as far as that is known of names and of shapes; of a filter
    for one number of dimensions, that what it takes goes to an optimizer of another kind."""
    for state in states:
        if any(one.takes(state.local_name, len(state.track.shape)) for one in (pair.slipped, pair.other)):
            return False
    if pair.kind != "one":
        return True
    number = pair.other.asked[0].number
    alone, others = set[str](), set[str]()
    for state in audit.states:
        kinds = {audit.recording.optimizers[index].type for index, _ in state.held}
        (alone if len(state.track.shape) == number else others).update(kinds)
    return bool(alone) and bool(others) and alone.isdisjoint(others)
