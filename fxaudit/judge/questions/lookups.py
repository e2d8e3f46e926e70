"""What is to blame only because a lookup found nothing: `LOSSES.get(name, nothing)`, where no key is that name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from fxaudit.answer.finding import Finding, Related
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.program.lookups import Lookup, Lookups
from fxaudit.program.names import names_bound, names_read, statements_after
from fxaudit.program.source import SourceLine, actual_path, is_library
from fxaudit.program.tree import Tree, is_zero, tree_of

__all__ = ["with_failed_lookup"]

CHOSEN = ("FXA301",)
"""The rules whose culprit chooses something: what it calls may have looked that up in vain."""
ZERO = ("FXA501",)
"""The rule on what is 0: a lookup that always fails may have given it."""
RATE = ("FXA304",)
"""The rule on rates of 0: a lookup of the parameters' name may have given it."""
UNUSED = ("FXA101", "FXA103", "FXA303")
"""The rules on what nothing uses: the function that was meant may use it."""
UNREAD = ("FXA102",)
"""The rule on what nothing reads: it may be kept under another key than the one that is asked for."""


def with_failed_lookup(audit: Audit, finding: Finding) -> Finding:
    """The finding; with the line of the key that was looked up in vain, where that is why its culprit ran."""
    line = finding.culprit
    if line is None or line.library or finding.level == "note" or is_library(line.file):
        return finding
    lookup, role = next(_behind(audit, Lookups(audit.record.course), finding, line), (None, ""))
    if lookup is None:
        return finding
    where = source_at(*lookup.place)
    told = [Related(line, role or "looked up here"), *finding.related]
    if role and (lookup.file, lookup.line) != lookup.place:
        told.insert(0, Related(source_at(lookup.file, lookup.line), "looked up here"))
    places = {(r.source.file, r.source.line): r for r in reversed(told) if r.source != where}
    related = tuple(r for r in told if r in places.values())[:3]
    return replace(finding, culprit=where, related=related, fix=lookup.advice, fact=lookup.sentence)


def _behind(audit: Audit, lookups: Lookups, finding: Finding, line: SourceLine) -> Iterator[tuple[Lookup, str]]:
    """(the lookup that found nothing, what the culprit has to do with it), the likeliest first."""
    yield from ((found, "this stands in for what is missing") for found in _standing_in(lookups, line))
    yield from ((found, "") for found in _asked_there(lookups, line))
    if finding.code in CHOSEN:
        yield from ((found, "what was found is used here") for found in _asked_within(audit, lookups, line))
    if finding.code in ZERO:
        within = _zeros(lookups, _asked_within(audit, lookups, line))
        yield from ((found, "what was found is used here") for found in within)
        anywhere = _zeros(lookups, lookups.all) if _is_padding(finding) else ()
        yield from ((found, "what was found comes here") for found in anywhere)
    if finding.code in RATE:
        yield from ((found, "the rate that was found is used here") for found in _of_names(lookups, finding))
    if finding.code in UNUSED:
        yield from ((found, "nothing that ran uses it") for found in _using(audit, lookups, finding))
        yield from ((found, "made here, and given to what stands in") for found in _given(audit, lookups, finding))
    if finding.code in (*UNUSED, *UNREAD):
        yield from ((found, "what is made here goes without it") for found in _passed_over(lookups, finding))


def _zeros(lookups: Lookups, found: Iterable[Lookup]) -> Iterator[Lookup]:
    """Those that gave 0 each time, where another key is nearly the same, or nobody asks for it."""
    zero = (one for one in found if one.number_taken == 0 and one.near)
    return (one for one in zero if one.unasked or lookups.always_misses(one))


def _standing_in(lookups: Lookups, line: SourceLine) -> Iterator[Lookup]:
    """The lookups that found nothing, so that the function around the line ran, where it was not meant to: another key
    is nearly the same, or the function does nothing."""
    file, function = actual_path(line.file), line.function
    for lookup in (*lookups.standing_in(function), *lookups.standing_in(function.rpartition(".")[0])):
        if lookup.near is not None or _does_nothing(line):
            yield lookup
    statement = _statement(line)
    sights = lookups.course.at(file, statement.lineno) if statement is not None else ()
    held = {seen.value for sight in sights for seen in sight.read.values() if seen.kind == "callable"}
    for lookup in lookups.all:
        taken = lookup.taken
        if lookup.near is not None and lookup.stand_in in held:
            yield lookup
        is_there = lookup.file == file and taken is not None and taken.lineno <= line.line <= (taken.end_lineno or 0)
        if is_there and (lookup.near is not None or (isinstance(taken, ast.Lambda) and _is_nothing(taken.body))):
            yield lookup


def _is_padding(finding: Finding) -> bool:
    """Whether an embedding is asked for nothing but its padding row."""
    return "padding" in (finding.fact or "")


def _of_names(lookups: Lookups, finding: Finding) -> Iterator[Lookup]:
    """The lookups of a part of the parameters' names that found nothing, so that 0 was taken, where another key is
    nearly the same."""
    for lookup in lookups.all:
        parts = f".{lookup.key}."
        if lookup.near and lookup.number_taken == 0 and all(parts in f".{name}." for name in finding.parameters):
            yield lookup


def _using(audit: Audit, lookups: Lookups, finding: Finding) -> Iterator[Lookup]:
    """The lookups that found nothing where the function of a name nearly the same uses what the finding is about."""
    places = [finding.culprit, *(related.source for related in finding.related)]
    words = {name.split(".")[0] for name in finding.parameters}
    for place in places:
        statement = _statement(place) if place is not None else None
        if isinstance(statement, ast.Assign):
            words |= {getattr(target, "attr", getattr(target, "id", "")) for target in statement.targets}
    words -= {"", "self"}
    for lookup in lookups.all:
        if lookup.near is not None and words & _words_of(audit, lookup.near):
            yield lookup


def _passed_over(lookups: Lookups, finding: Finding) -> Iterator[Lookup]:
    """The lookups that found nothing, and went on, where the keys that are nearly the same name all that the finding is
    about, or where the key does that of which no other is the like than the one that nobody asks for."""
    places: dict[tuple[str, int, str], list[Lookup]] = {}
    for lookup in (*lookups.all, *lookups.filters):
        goes_on = lookup.taken is None or lookups.always_misses(lookup)
        if lookup.near and goes_on and not lookup.of_object and not lookups.is_asked(lookup, lookup.near):
            places.setdefault((lookup.file, lookup.line, lookup.table), []).append(lookup)
    for found in places.values():
        meant = [lookup for lookup in found if any(_is_named(name, lookup) for name in finding.parameters)]
        if meant and all(any(_is_named(name, lookup) for lookup in meant) for name in finding.parameters):
            yield meant[0]


def _is_named(name: str, lookup: Lookup) -> bool:
    """Whether the key that was meant is a part of the parameter's name; or, where it is another word, the key that was
    asked for."""
    path = name.removesuffix(" (old)")
    if lookup.unasked:
        words = re.split("[._]", path)
        return str(lookup.key) in words or lookup.unasked in words
    return f".{lookup.near}." in f".{path}."


def _given(audit: Audit, lookups: Lookups, finding: Finding) -> Iterator[Lookup]:
    """The lookups that found nothing, where what was taken instead is given what the finding is about: it makes no use
    of that."""
    stand_ins = {lookup.stand_in: lookup for lookup in lookups.all if lookup.stand_in}
    for place in (finding.culprit, *(related.source for related in finding.related)) if stand_ins else ():
        tree = (tree_of(actual_path(place.file))) if place is not None else None
        statement = _statement(place) if place is not None else None
        for later in (
            statements_after(tree, statement) if tree is not None and isinstance(statement, ast.Assign) else ()
        ):
            if tree is None or statement is None or not names_read(later) & names_bound(statement):
                continue
            for sight in lookups.course.at(tree.file, later.lineno):
                held = {str(seen.value) for seen in sight.read.values() if seen.kind == "callable"}
                held |= {lookups.course.frames[number].function for number in lookups.course.calls_in(sight)}
                yield from (stand_ins[name] for name in sorted(held & set(stand_ins)))


def _words_of(audit: Audit, function: str) -> set[str]:
    """The names and attributes in the functions of that name."""
    trees = [tree for tree in map(tree_of, audit.project_files) if tree is not None]
    found = [n for tree in trees for n in tree.parents if isinstance(n, ast.FunctionDef) and n.name == function]
    nodes = [node for one in found for node in ast.walk(one)]
    return {
        getattr(node, "attr", getattr(node, "id", "")) for node in nodes if isinstance(node, ast.Attribute | ast.Name)
    }


def _asked_there(lookups: Lookups, line: SourceLine) -> Iterator[Lookup]:
    """The lookups in the line itself, where another key is nearly the same."""
    file = actual_path(line.file)
    return (found for found in lookups.all if found.near and (found.file, found.line) == (file, line.line))


def _asked_within(audit: Audit, lookups: Lookups, line: SourceLine) -> Iterator[Lookup]:
    """The lookups in what the statement at the line called, whose key somebody wrote down elsewhere."""
    course = audit.record.course
    tree = tree_of(actual_path(line.file))
    statement = tree.statement_at(line.line) if tree is not None else None
    sights = course.at(tree.file, statement.lineno) if tree is not None and statement is not None else []
    frames = [number for sight in sights for number in course.entered_from(sight)]
    here = {(sight.frame, sight.line) for sight in sights}
    for lookup in lookups.all:
        is_asked = lookup.sight.frame in frames or (lookup.sight.frame, lookup.sight.line) in here
        if is_asked and (lookup.birth is not None or lookup.near is not None):
            yield lookup


def _statement(line: SourceLine) -> ast.stmt | None:
    tree = tree_of(actual_path(line.file))
    return tree.statement_at(line.line) if tree is not None else None


def _does_nothing(line: SourceLine) -> bool:
    """Whether the function around the line only returns a constant, or something times 0."""
    tree = tree_of(actual_path(line.file))
    statement = _statement(line)
    function = tree.function(statement) if tree is not None and statement is not None else None
    return isinstance(tree, Tree) and isinstance(function, ast.FunctionDef) and _returns_nothing(function)


def _returns_nothing(function: ast.FunctionDef) -> bool:
    body = [node for node in function.body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))]
    match body:
        case [ast.Return(value=None) | ast.Pass()]:
            return True
        case [ast.Return(value=ast.expr() as value)]:
            return _is_nothing(value)
    return False


def _is_nothing(value: ast.expr) -> bool:
    match value:
        case ast.Constant() | ast.List(elts=[]) | ast.Tuple(elts=[]):
            return True
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return is_zero(left) or is_zero(right)
    return False
