"""A loader of batches that gives none, because the only one is dropped: `drop_last=True` of too small a data set."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from fxaudit.answer.finding import Finding
from fxaudit.judge.rule import Audit, related_lines
from fxaudit.judge.trail import source_at
from fxaudit.program.birth import Birth
from fxaudit.program.births import Births
from fxaudit.program.course import Course, Sight
from fxaudit.program.evaluation import evaluated
from fxaudit.program.given import given_to
from fxaudit.program.plain import chain_of, readings
from fxaudit.program.source import SourceLine, actual_path
from fxaudit.program.tree import Tree, call_sites, position_bound, tree_of

__all__ = ["with_emptied_loader"]

NOT_REACHED = ("FXA101", "FXA102", "FXA103", "FXA303", "FXA401", "FXA402", "FXA902")
"""The rules on what a loop without a round leaves out."""
LOADER = "DataLoader"
DROPPED = "drop_last"
EDIT = "Leave `drop_last` out, or make the batch no larger than the data set."
FACT = "`drop_last` leaves no batch where the data set is smaller than one"


@dataclass(frozen=True, slots=True)
class _Emptied:
    """A loop that goes without what an empty loader does not give, and where that was told to drop the last batch."""

    tree: Tree
    loop: ast.For | ast.While
    asked_at: int
    """The line that asks the loader."""
    role: str
    """What is said of that line."""
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
            asked = source_at(found.tree.file, found.asked_at)
            told = [(asked, found.role), (found.from_there, "it is given here"), *lines]
            return replace(finding, culprit=found.given, related=related_lines(found.given, told), fix=EDIT, fact=FACT)
    return finding


def _is_decided(finding: Finding) -> bool:
    """Whether a branch that is not taken explains it: then the level of what is never called is lower."""
    return finding.code == "FXA101" and finding.level == "warning"


def _emptied(audit: Audit) -> Iterator[_Emptied]:
    course = audit.record.course
    for tree in filter(None, map(tree_of, audit.project_files)):
        asked = [
            (loop, loop.lineno, "this loop has no round", token)
            for loop in tree.statements
            if isinstance(loop, ast.For)
            for token in _without_a_round(course, tree, loop)
        ]
        for loop, line, role, token in (*asked, *_asked_in_vain(course, tree)):
            found = _told(audit, token)
            if found is not None:
                yield _Emptied(tree, loop, line, role, *found)


def _asked_in_vain(course: Course, tree: Tree) -> Iterator[tuple[ast.For | ast.While, int, str, int]]:
    """(the loop around `next(batches)` in a `try` whose body never went on, the line, what is said of it, the
    loader)."""
    for call in tree.calls:
        statement = tree.statement(call)
        outer = tree.parents.get(statement) if statement is not None else None
        loop = next((node for node in tree.ancestors(call) if isinstance(node, ast.For | ast.While)), None)
        is_next = isinstance(call.func, ast.Name) and call.func.id == "next" and call.args
        if statement is None or loop is None or not is_next or not isinstance(outer, ast.Try):
            continue
        sights = course.at(tree.file, statement.lineno)
        ends = max(node.end_lineno or node.lineno for node in outer.body)
        is_vain = all(course.goes_on_at(sight) > ends for sight in sights)
        loaders = {_loader_of(course, sight, call.args[0]) for sight in sights} if is_vain else set()
        if len(loaders) == 1 and (token := loaders.pop()) >= 0:
            yield loop, statement.lineno, "no batch comes here", token


def _loader_of(course: Course, sight: Sight, batches: ast.expr) -> int:
    """The loader whose batches are asked for: `iter(loader)`, or what that was bound to; -1 where none is known."""
    match batches:
        case ast.Call(func=ast.Name(id="iter"), args=[ast.expr() as loader]):
            chain = chain_of(loader)
            seen = sight.read.get(chain.text) if chain is not None else None
            return seen.token if seen is not None and str(seen.value).endswith(LOADER) else -1
    chain = chain_of(batches)
    seen = sight.read.get(chain.text) if chain is not None else None
    for made, target in course.made(seen.token) if seen is not None and seen.token >= 0 else ():
        given = given_to(readings(course.file_of(made)).statement(made.line), target)
        if isinstance(given, ast.Call):
            return _loader_of(course, made, given)
    return -1


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
    last = loop.body[-1].end_lineno or loop.lineno
    return loop.body[0].lineno <= course.goes_on_at(sight) <= last


def _told(audit: Audit, token: int) -> tuple[SourceLine, SourceLine | None] | None:
    """(where the loader was told to drop the last batch, where that has its value from)."""
    course = audit.record.course
    for sight, target in course.made(token):
        statement = readings(course.file_of(sight)).statement(sight.line)
        given = given_to(statement, target)
        if isinstance(given, ast.Call) and _is_loader(given):
            return _drops(course, course.file_of(sight), sight.line, given)
        returned = _returned(course, sight, target)
        if returned is not None:
            return _drops(course, *returned)
    calls = [*call_sites(audit.project_files, LOADER)]
    places = [(tree.file, s.lineno, call) for tree, call in calls if (s := tree.statement(call)) is not None]
    found = [told for place in places if (told := _drops(course, *place)) is not None]
    return found[0] if len(found) == 1 else None


def _returned(course: Course, sight: Sight, target: str) -> tuple[str, int, ast.Call] | None:
    """The call that made the loader, where a function of the program returns it in a tuple that is unpacked."""
    position = position_bound(course.file_of(sight), sight.line, target)
    for number in course.calls_in(sight) if position >= 0 else ():
        for inner in course.in_frame(number)[-1:]:
            file = course.file_of(inner)
            match readings(file).statement(inner.line):
                case ast.Return(value=ast.Tuple(elts=parts)) if position < len(parts):
                    made = parts[position]
                    if isinstance(made, ast.Call) and _is_loader(made):
                        return file, inner.line, made
    return None


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


def _trains(loop: ast.For | ast.While) -> bool:
    """Whether a backward stands in the loop."""
    calls = (node.func for part in loop.body for node in ast.walk(part) if isinstance(node, ast.Call))
    return any(isinstance(called, ast.Attribute) and called.attr == "backward" for called in calls)


def _stands_in(found: _Emptied, line: SourceLine) -> bool:
    is_there = found.tree.file in (line.file, actual_path(line.file))
    return is_there and found.loop.lineno <= line.line <= (found.loop.end_lineno or 0)
