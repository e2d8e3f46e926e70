"""Which parameters are left out, or stay frozen, because the program asks for a name that nothing has."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import replace

from fxaudit.answer.finding import Finding, Related
from fxaudit.judge.questions.beginnings import begun_otherwise
from fxaudit.judge.questions.injected import Injection, put_in_vain
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.anchored import Anchored, anchored_in_vain
from fxaudit.program.evaluation import evaluated
from fxaudit.program.groups import flags_given
from fxaudit.program.name_lists import listed_in_vain, texts_beside
from fxaudit.program.name_tests import InVain, asked_in_vain, tests_around
from fxaudit.program.tree import tree_of

__all__ = ["asked_of_nothing", "frozen_by_names", "frozen_in_vain", "left_out_in_vain", "with_name_in_vain"]


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
    left = [state for state in frozen if state.name not in seen]
    for vain in (*begun_otherwise(audit, left), *listed(audit, left)):
        states = [state for state in frozen if state.local_name in vain.named and state.name not in seen]
        if states:
            seen |= {state.name for state in states}
            yield vain, states


def asked_of_nothing(audit: Audit) -> Iterator[tuple[InVain, list[ParameterState]]]:
    """The texts that no name has, nor nearly, in a list of which another one names something, where something is frozen
    or thawed, with what stays frozen."""
    frozen = [state for state in audit.unexplained("frozen") if state.frozen_at is not None]
    names = [state.local_name for state in audit.states]
    for vain in _in_vain(audit, flags_given(audit.project_files), frozen) if frozen else ():
        beside = texts_beside(vain.file, vain.line, vain.text)
        if not vain.nearest and any(text in name for text in beside for name in names):
            yield vain, frozen
            return


def frozen_by_names(audit: Audit) -> InVain | Injection | None:
    """The names that are asked for in vain, because of which something stays frozen."""
    near = next((vain for vain, _ in frozen_in_vain(audit) if vain.nearest), None)
    if near is not None or not any(state.frozen_at is not None for state in audit.unexplained("frozen")):
        return near
    return put_in_vain(audit)


def left_out_in_vain(
    audit: Audit, states: list[ParameterState], places: Iterable[tuple[str, int]]
) -> InVain | Anchored | None:
    """The text that is asked for in vain at one of the places (file, line), and that nearly names one of `states`, or
    that all of them contain where it is asked how they begin."""
    places = list(places)
    found = (begun_otherwise(audit, states), _in_vain(audit, places, states), listed(audit, states))
    return next((vain for vains in found for vain in vains), None) or _anchored(audit, states, places)


def _anchored(audit: Audit, states: list[ParameterState], places: Iterable[tuple[str, int]]) -> Anchored | None:
    names, wanted = ([state.local_name for state in part] for part in (audit.states, states))
    for file, line in places:
        tree = tree_of(file)
        tests = tests_around(tree, line) if tree is not None else []
        found = anchored_in_vain(audit.record.course, tree, tests, names, wanted) if tree is not None else None
        if found is not None and set(found.named) == set(wanted):
            return found
    return None


def listed(audit: Audit, wanted: list[ParameterState]) -> Iterator[InVain]:
    """The texts of lists, in the program and its configuration files, that nearly name one of `wanted`, and nothing."""
    names = [state.local_name for state in audit.states]
    config_files = audit.record.course.config_files()
    if wanted:
        yield from listed_in_vain(audit.project_files, config_files, names, [state.local_name for state in wanted])


def with_name_in_vain(audit: Audit, finding: Finding) -> Finding:
    """The finding; with the line of a list that nearly names what is never called, or not used, where there is one."""
    if finding.code not in ("FXA101", "FXA103") or finding.level == "note" or finding.culprit is None:
        return finding
    concerned = [state for state in audit.states if state.name in finding.parameters]
    for vain in listed(audit, concerned):
        if {state.local_name for state in concerned} <= set(vain.named):
            culprit, role = source_at(vain.file, vain.line), "nobody asks for what is made here"
            related = (Related(finding.culprit, role), *finding.related)
            return replace(finding, culprit=culprit, related=related[:3], fact=vain.sentence)
    return finding


def _in_vain(audit: Audit, places: Iterable[tuple[str, int]], wanted: list[ParameterState]) -> Iterator[InVain]:
    names = [state.local_name for state in audit.states]
    known: set[tuple[str, int, str]] = set()
    for file, line in places:
        tree = tree_of(file)
        if tree is None:
            continue
        tests = [(test, wanted) for test, wanted in tests_around(tree, line) if not _was_met(audit, file, test, wanted)]
        for vain in asked_in_vain(audit.project_files, tree, tests, names, [state.local_name for state in wanted]):
            if (vain.file, vain.line, vain.text) not in known:
                known.add((vain.file, vain.line, vain.text))
                yield vain


def _was_met(audit: Audit, file: str, test: ast.expr, wanted: bool) -> bool:
    """Whether the test compares something with one text alone, and was seen to give what it has to each time: it asks
    for the kind of an optimizer, say, and for no name."""
    match test:
        case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq()], comparators=[right]):
            tree = tree_of(file)
            statement = tree.statement(test) if tree is not None else None
            passes = audit.record.course.at(file, statement.lineno) if statement is not None else []
            is_one = any(isinstance(side, ast.Constant) and isinstance(side.value, str) for side in (left, right))
            return is_one and bool(passes) and all(evaluated(test, sight.read) is wanted for sight in passes)
    return False
