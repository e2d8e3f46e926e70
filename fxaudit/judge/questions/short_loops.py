"""A loop that ends after so many batches of data in a fixed order: what only the rest would use is never called."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from fxaudit.answer.finding import Finding
from fxaudit.capture.recording import Record
from fxaudit.judge.rule import Audit, related_lines
from fxaudit.judge.trail import source_at
from fxaudit.program.births import Births
from fxaudit.program.course import Seen, Sight
from fxaudit.program.evaluation import NOT_KNOWN, evaluated
from fxaudit.program.given import given_to
from fxaudit.program.plain import chain_of, readings
from fxaudit.program.source import SourceLine, actual_path
from fxaudit.program.tree import Tree, tree_of

__all__ = ["with_short_loop"]

NOT_CALLED = ("FXA101", "FXA102")
LOADER = "DataLoader"
ORDERING = frozenset({"shuffle", "sampler", "batch_sampler"})
"""What gives a loader another order than that of the data."""
FIX = "Take all batches, or shuffle the data: as it is, the same part is left out in each epoch."


@dataclass(frozen=True, slots=True)
class _Short:
    """A loop that takes the first so many batches, and what says how many."""

    header: SourceLine
    limit: SourceLine
    taken: int
    there: int
    loader: SourceLine


def with_short_loop(audit: Audit, finding: Finding) -> Finding:
    """The finding; with the number that ends the loop over the data, where the data decides what is called."""
    line = finding.culprit
    if finding.code not in NOT_CALLED or finding.level == "note" or line is None or line.library:
        return finding
    lines = [(line, "the data decides here"), *((one.source, one.role) for one in finding.related)]
    if not any(_is_decided_by_data(audit, place) for place, _ in lines):
        return finding
    found = next(_short_loops(audit), None)
    if found is None:
        return finding
    fact = f"only the first {found.taken} of {found.there} batches are taken"
    told = [
        (found.header, f"this loop ends after {found.taken} batches"),
        (found.loader, "nothing is shuffled"),
        *lines,
    ]
    return replace(finding, culprit=found.limit, related=related_lines(found.limit, told), fix=FIX, fact=fact)


def _is_decided_by_data(audit: Audit, line: SourceLine) -> bool:
    """Whether a test in the line, or around it, was asked and depends on numbers that only tensors hold."""
    tree = tree_of(actual_path(line.file))
    statement = tree.statement_at(line.line) if tree is not None else None
    if tree is None or statement is None:
        return False
    tests = [node for node in (statement, *tree.ancestors(statement)) if isinstance(node, ast.If)]
    for test in tests:
        sights = audit.record.course.at(tree.file, test.lineno)
        parts = [part for node in ast.walk(test.test) if isinstance(node, ast.BoolOp) for part in node.values]
        told = (evaluated(part, sight.read) for sight in sights for part in parts)
        if any(value is not NOT_KNOWN and not isinstance(value, Seen) and not value for value in told):
            return False  # something else than the data decides, too
        if sights and all(evaluated(test.test, sight.read) is NOT_KNOWN for sight in sights):
            return any(seen.kind == "tensor" for sight in sights for seen in sight.read.values())
    return False


def _short_loops(audit: Audit) -> Iterator[_Short]:
    course, births = audit.record.course, Births(audit.record.course)
    for tree in filter(None, map(tree_of, audit.project_files)):
        for loop in (node for node in tree.statements if isinstance(node, ast.For) and _trains(node)):
            for limit, line in _limits(audit, tree, loop):
                taken = [int(number) for number in births.numbers(tree.file, line, limit)[-1:]]
                for sight in course.at(tree.file, loop.lineno)[:1] if taken else ():
                    made = _loader(births, audit.record, sight, loop)
                    there = _batches(births, audit.record, *made) if made is not None else None
                    if made is None or there is None or taken[0] >= there:
                        continue
                    birth = births.of(tree.file, line, limit, taken[0])
                    where = (birth.file, birth.line) if birth is not None and birth.is_a_setting else (tree.file, line)
                    loader = source_at(course.file_of(made[0]), made[1].lineno)
                    yield _Short(source_at(tree.file, loop.lineno), source_at(*where), taken[0], there, loader)


def _trains(loop: ast.For) -> bool:
    calls = (node.func for part in loop.body for node in ast.walk(part) if isinstance(node, ast.Call))
    return any(isinstance(called, ast.Attribute) and called.attr == "backward" for called in calls)


def _limits(audit: Audit, tree: Tree, loop: ast.For) -> Iterator[tuple[ast.expr, int]]:
    """(how many rounds the loop has at most, the line of the statement that says so)."""
    for node in ast.walk(loop.iter):
        match node:
            case ast.Call(func=ast.Attribute(attr="islice") | ast.Name(id="islice"), args=[_, limit]):
                yield limit, loop.lineno
            case ast.Call(func=ast.Name(id="zip"), args=parts):
                for part in parts:
                    match part:
                        case ast.Call(func=ast.Name(id="range"), args=[limit]):
                            yield limit, loop.lineno
    counters = {part.id for part in ast.walk(loop.target) if isinstance(part, ast.Name)}
    is_counted = isinstance(loop.iter, ast.Call) and getattr(loop.iter.func, "id", "") == "enumerate"
    for node in loop.body if is_counted else ():
        match node:
            case ast.If(
                test=ast.Compare(left=ast.Name(id=counter), ops=[ast.GtE() | ast.Eq()], comparators=[limit]),
                body=[ast.Break() as left],
            ) if counter in counters and left.lineno in audit.record.ran().of(tree.file):
                yield limit, node.lineno


def _loader(births: Births, record: Record, sight: Sight, loop: ast.For) -> tuple[Sight, ast.Call] | None:
    """The call that made the loader which the loop goes through, in the pass that made it."""
    tokens = {seen.token for seen in sight.read.values() if seen.kind == "object" and str(seen.value).endswith(LOADER)}
    for token in tokens - {-1}:
        for made, target in record.course.made(token):
            given = given_to(readings(record.course.file_of(made)).statement(made.line), target)
            answered = births.answer(made, given) if isinstance(given, ast.Call) and not _is_loader(given) else None
            place, call = answered if answered is not None else (made, given)
            if isinstance(call, ast.Call) and _is_loader(call):
                return place, call
    return None


def _is_loader(call: ast.Call) -> bool:
    return str(getattr(call.func, "attr", getattr(call.func, "id", ""))) == LOADER


def _batches(births: Births, record: Record, sight: Sight, call: ast.Call) -> int | None:
    """How many batches the loader has, where it gives them in the order of the data; None where that is not known."""
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    ordered = [given[name] for name in ORDERING & given.keys()]
    if None in given or not call.args or any(evaluated(part, sight.read) is not False for part in ordered):
        return None
    size = given.get("batch_size", call.args[1] if len(call.args) > 1 else None)
    number = evaluated(size, sight.read) if size is not None else None
    rows = _rows(births, record, sight, call.args[0])
    if len(call.args) > 2 or type(number) is not int or number < 1 or rows is None:
        return None
    return -(-rows // number)


def _rows(births: Births, record: Record, sight: Sight, data: ast.expr) -> int | None:
    """How many members the data has: a list; a set of the program's, by what its `__len__` answers; or tensors."""
    seen = _seen(sight, data)
    if seen is None or seen.kind in ("list", "tensor"):
        return _length(record, sight, data)
    course = record.course
    for number in range(len(course.frames) - 1, -1, -1):
        if course.frames[number].function == f"{seen.value}.__len__":
            for inner in reversed(course.in_frame(number)):
                match births.statement(inner):
                    case ast.Return(value=ast.Call(func=ast.Name(id="len"), args=[asked])):
                        return _length(record, inner, asked)
    for made, target in course.made(seen.token):
        match given_to(births.statement(made), target):
            case ast.Call(func=ast.Name(id="TensorDataset") | ast.Attribute(attr="TensorDataset"), args=[first, *_]):
                return _length(record, made, first)
    return None


def _length(record: Record, sight: Sight, node: ast.expr) -> int | None:
    """The length of a list, or of a tensor by the shape of what was computed where it got its value."""
    seen, chain = _seen(sight, node), chain_of(node)
    if seen is None or chain is None:
        return None
    if seen.kind == "list":
        return int(seen.value) if isinstance(seen.value, int) else None
    course = record.course
    owner = _seen(sight, node.value) if isinstance(node, ast.Attribute) else None
    if owner is not None and isinstance(node, ast.Attribute):
        bound = course.part_bound(owner.token, node.attr, sight.index)
    else:
        bound = course.name_bound(sight.frame, chain.text, sight.index) if isinstance(node, ast.Name) else None
    return _made_there(record, bound) if bound is not None and seen.kind == "tensor" else None


def _made_there(record: Record, bound: Sight) -> int | None:
    """The first dimension of all tensors that the statement itself made for its targets; None where they differ."""
    file, stacks = record.course.file_of(bound), record.stacks
    later = (sight.moment for sight in record.course.in_frame(bound.frame) if sight.index > bound.index)
    until = next(later, len(record.ops))
    own = [
        op
        for op in record.ops[bound.moment : until]
        if op.stack >= 0 and (stacks.file(op.stack), stacks.line(op.stack)) == (file, bound.line)
    ]
    used = {vid for op in own for vid in op.inputs}
    shapes = [record.values[vid].shape for op in own for vid in op.outputs if vid not in used]
    sizes = {shape[0] if shape else -1 for shape in shapes}
    return sizes.pop() if len(sizes) == 1 and -1 not in sizes else None


def _seen(sight: Sight, node: ast.expr) -> Seen | None:
    chain = chain_of(node)
    return sight.read.get(chain.text) if chain is not None else None
