"""Which parameters are left out, or stay frozen, because the program asks for a name that nothing has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fxaudit.judge.rule import Audit
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.groups import flags_given
from fxaudit.program.name_tests import InVain, asked_in_vain, tests_around
from fxaudit.program.tree import tree_of

__all__ = ["frozen_in_vain", "left_out_in_vain"]


def frozen_in_vain(audit: Audit) -> Iterator[tuple[InVain, list[ParameterState]]]:
    """The texts that are asked for in vain where something is frozen or thawed, with what they would have meant."""
    frozen = audit.unexplained("frozen")
    if not frozen:
        return
    seen: set[str] = set()
    for vain in _in_vain(audit, flags_given(audit.project_files), frozen):
        states = [state for state in frozen if state.local_name in vain.named and state.name not in seen]
        if states and vain.nearest:
            seen |= {state.name for state in states}
            yield vain, states


def left_out_in_vain(audit: Audit, states: list[ParameterState], places: Iterable[tuple[str, int]]) -> InVain | None:
    """The text that is asked for in vain at one of the places (file, line), and that nearly names one of `states`."""
    return next(iter(_in_vain(audit, places, states)), None)


def _in_vain(audit: Audit, places: Iterable[tuple[str, int]], wanted: list[ParameterState]) -> Iterator[InVain]:
    names = [state.local_name for state in audit.states]
    known: set[tuple[str, int, str]] = set()
    for file, line in places:
        tree = tree_of(file)
        if tree is None:
            continue
        tests = tests_around(tree, line)
        for vain in asked_in_vain(audit.project_files, tree, tests, names, [state.local_name for state in wanted]):
            if (vain.file, vain.line, vain.text) not in known:
                known.add((vain.file, vain.line, vain.text))
                yield vain
