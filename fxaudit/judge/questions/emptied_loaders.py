"""A loader of batches that gives none, because the only one is dropped: `drop_last=True` of too small a data set."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from fxaudit.answer.finding import Finding
from fxaudit.judge.rule import Audit, related_lines
from fxaudit.judge.trail import source_at
from fxaudit.program.births import Birth, Births
from fxaudit.program.course import Course, Sight
from fxaudit.program.evaluation import evaluated
from fxaudit.program.given import given_to
from fxaudit.program.plain import chain_of, readings
from fxaudit.program.source import SourceLine, actual_path
from fxaudit.program.tree import Tree, call_sites, tree_of

__all__ = ["with_emptied_loader"]

NOT_REACHED = ("FXA101", "FXA102", "FXA103", "FXA303", "FXA401", "FXA402", "FXA902")
"""The rules on what a loop without a round leaves out."""
LOADER = "DataLoader"
DROPPED = "drop_last"
EDIT = "Leave `drop_last` out, or make the batch no larger than the data set."
FACT = "`drop_last` leaves no batch where the data set is smaller than one"


@dataclass(frozen=True, slots=True)
class _Emptied:
    """A loop over a loader that had no round, and where the loader was told to drop the last batch."""

    tree: Tree
    loop: ast.For
    given: SourceLine
    from_there: SourceLine | None
    """Where what it is told has its value from, if that is elsewhere."""


def with_emptied_loader(audit: Audit, finding: Finding) -> Finding:
    """The finding; with the line that empties the loader of a loop, where its culprit is left out by that loop."""
    line = finding.culprit
    if (line is not None and line.library) or finding.level == "note" or finding.code not in NOT_REACHED:
        return finding
    lines = [(line, "what goes without it"), *((related.source, related.role) for related in finding.related)]
    for found in _emptied(audit):
        is_there = any(place is not None and _stands_in(found, place) for place, _ in lines)
        if is_there or (_trains(found.loop) and not _is_decided(finding)):
            header = source_at(found.tree.file, found.loop.lineno)
            told = [(header, "this loop has no round"), (found.from_there, "it is given here"), *lines]
            return replace(finding, culprit=found.given, related=related_lines(found.given, told), fix=EDIT, fact=FACT)
    return finding


def _is_decided(finding: Finding) -> bool:
    """Whether a branch that is not taken explains it: then the level of what is never called is lower."""
    return finding.code == "FXA101" and finding.level == "warning"


def _emptied(audit: Audit) -> Iterator[_Emptied]:
    course = audit.record.course
    for tree in filter(None, map(tree_of, audit.project_files)):
        for loop in (node for node in tree.statements if isinstance(node, ast.For)):
            for token in _without_a_round(course, tree, loop):
                found = _told(audit, token)
                if found is not None:
                    yield _Emptied(tree, loop, *found)


def _without_a_round(course: Course, tree: Tree, loop: ast.For) -> list[int]:
    """The loaders that the loop went through without a round."""
    rounds: dict[int, bool] = {}
    for sight in course.at(tree.file, loop.lineno):
        for node in ast.walk(loop.iter):
            chain = chain_of(node) if isinstance(node, ast.expr) else None
            seen = sight.read.get(chain.text) if chain is not None else None
            if seen is not None and seen.kind == "object" and str(seen.value).endswith(LOADER):
                rounds[seen.token] = rounds.get(seen.token, False) or _goes_on(course, sight, loop)
    return [token for token, had in rounds.items() if not had]


def _goes_on(course: Course, sight: Sight, loop: ast.For) -> bool:
    """Whether the body of the loop came next."""
    own = course.in_frame(sight.frame)
    following = own[own.index(sight) + 1 :][:1]
    last = loop.body[-1].end_lineno or loop.lineno
    return bool(following) and loop.body[0].lineno <= following[0].line <= last


def _told(audit: Audit, token: int) -> tuple[SourceLine, SourceLine | None] | None:
    """(where the loader was told to drop the last batch, where that has its value from)."""
    course = audit.record.course
    for sight, target in course.made(token):
        statement = readings(course.file_of(sight)).statement(sight.line)
        given = given_to(statement, target)
        if isinstance(given, ast.Call) and _is_loader(given):
            return _drops(course, course.file_of(sight), sight.line, given)
    calls = [*call_sites(audit.project_files, LOADER)]
    places = [(tree.file, s.lineno, call) for tree, call in calls if (s := tree.statement(call)) is not None]
    found = [told for place in places if (told := _drops(course, *place)) is not None]
    return found[0] if len(found) == 1 else None


def _is_loader(call: ast.Call) -> bool:
    return getattr(call.func, "attr", getattr(call.func, "id", "")).endswith(LOADER)


def _drops(course: Course, file: str, line: int, call: ast.Call) -> tuple[SourceLine, SourceLine | None] | None:
    births, sights = Births(course), course.at(file, line)
    for keyword in call.keywords if sights else ():
        if keyword.arg is None:
            birth = births.entry_of(file, line, keyword.value, DROPPED, True)
            if birth is not None:
                return _place(birth), source_at(file, keyword.value.lineno)
        if keyword.arg == DROPPED and any(evaluated(keyword.value, sight.read) is True for sight in sights):
            here = source_at(file, keyword.value.lineno)
            birth = births.of(file, line, keyword.value, True)
            if birth is None or not birth.is_a_setting or isinstance(keyword.value, ast.Constant):
                return here, None
            # A setting of the program is edited where it is written; what is handed on by a name, where it is used.
            return (here, _place(birth)) if isinstance(keyword.value, ast.Name) else (_place(birth), here)
    return None


def _place(birth: Birth) -> SourceLine:
    return source_at(birth.file, birth.line)


def _trains(loop: ast.For) -> bool:
    """Whether a backward stands in the loop."""
    calls = (node.func for part in loop.body for node in ast.walk(part) if isinstance(node, ast.Call))
    return any(isinstance(called, ast.Attribute) and called.attr == "backward" for called in calls)


def _stands_in(found: _Emptied, line: SourceLine) -> bool:
    is_there = found.tree.file in (line.file, actual_path(line.file))
    return is_there and found.loop.lineno <= line.line <= (found.loop.end_lineno or 0)
