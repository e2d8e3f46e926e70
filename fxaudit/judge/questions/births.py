"""What the course of the program tells of a number, a test or a rate: the line from which it comes.

Where the course has a hole, the answer is None, and the source is read instead.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterable, Iterator

from fxaudit.capture import operations
from fxaudit.capture.recording import Op, Record
from fxaudit.capture.registry import OptimizerInfo
from fxaudit.judge.trail import project_stack, source_at
from fxaudit.program.arithmetic import factors
from fxaudit.program.birth import NOT_HEARD, Birth
from fxaudit.program.births import Births
from fxaudit.program.decisions import Decisions
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import sliced_statements, tests_leading_to, tree_of

__all__ = [
    "begun_with",
    "begun_with_computed",
    "born_at",
    "divided_twice",
    "factor_born",
    "group_rate_born",
    "keyword_born",
    "number_born",
    "own_factor_born",
    "rate_born",
    "setting_behind",
    "text_born",
    "threshold_born",
    "unheard_before",
    "unread_setting",
    "zero_addend_born",
    "zero_argument_born",
    "zero_factor_born",
]

MAX_BEHIND = 6
"""So many operations are gone back to find a comparison."""

Lines = list[tuple[SourceLine | None, str]]


def born_at(birth: Birth) -> tuple[SourceLine, Lines]:
    """The line of a birth, where its operands come from, and the stations from it to the effect."""
    told = [*birth.because, *reversed(birth.stations)]
    return source_at(birth.file, birth.line), [(source_at(file, number), role) for file, number, role in told]


def unread_setting(birth: Birth | None) -> str:
    """What to do about a setting that has no effect as it is written, or another; "" where the birth is no such one."""
    if birth is None or birth.kind not in NOT_HEARD:
        return ""
    if birth.kind == "replaced":
        return "Merge the blocks of the two files key by key: as it is, the one takes the place of the whole other."
    if birth.kind == "overruled":
        return "Merge the other way round: what a file says itself counts more than what it begins with."
    if birth.kind == "capitals":
        return f"Compare without regard to capitals, with `.lower()`: the text is {birth.value!r}."
    if birth.kind == "opposite":
        return f"Give `1 - {birth.text}`: of the two shares one is what is kept, the other what is dropped."
    if birth.kind == "crossed":
        return f"Give {birth.text} in the order in which they are taken, or by keyword: each gets what is the other's."
    if birth.kind == "rounded":
        return f"Let it be a `float`: as a whole number, by `{birth.text}`, what is given for it is {birth.value}."
    if birth.kind == "samples":
        return f"Count batches: `{birth.text}` counts samples, of which a batch has several."
    if birth.kind == "misspelt":
        counts = os.path.basename(birth.counts_instead)
        taken = f"what `{counts}` says counts" if counts else "a default is taken"
        return f"Correct the key of `{birth.text}`: nobody asks for it as it is written, and {taken}."
    if any("given once more" in role for _, _, role in birth.stations):
        return f"Join the two blocks of `{birth.text.rstrip(': ')}`: the second takes the place of the whole first one."
    return f"Put `{birth.text}` where it is asked for: it stands in another place, and a default is taken."


def zero_factor_born(record: Record, stack: int, frames: int = 2) -> Birth | None:
    """The birth of the 0 with which something is multiplied at `stack`, or in the line that called its function."""
    births = Births(record.course)
    for file, statement in _statements(record, stack, frames):
        for factor in factors(statement):
            for zero in (0, 0.0, False):
                found = births.of(file, statement.lineno, factor, zero)
                if found is not None:
                    return found
    return None


def zero_argument_born(record: Record, stack: int, frames: int = 2) -> Birth | None:
    """The birth of a 0 that a call at `stack`, or in the line that called its function, is given by a name: a bound, a
    count, the end of a slice. A 0 that stands there may be a dimension."""
    births = Births(record.course)
    for file, statement in _statements(record, stack, frames):
        for given in _arguments(statement):
            found = births.of(file, statement.lineno, given, 0)
            if found is not None:
                return found
    return None


def zero_addend_born(record: Record, stack: int) -> Birth | None:
    """The birth of a 0 that is added in the statement at `stack`, and that somebody set: an epsilon."""
    births = Births(record.course)
    for file, statement in _statements(record, stack, 1):
        for node in ast.walk(statement):
            if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Add):
                continue
            for addend in (node.left, node.right):
                if not isinstance(addend, ast.Name | ast.Attribute | ast.Subscript):
                    continue
                found = births.of(file, statement.lineno, addend, 0.0)
                if found is not None and found.is_a_setting:
                    return found
    return None


def text_born(record: Record, file: str, call: ast.Call, text: str) -> Birth | None:
    """The birth of a text that is given to a call by a name, where somebody set it."""
    births = Births(record.course)
    for node in ast.walk(call):
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            found = births.of(file, call.lineno, node, text)
            if found is not None and found.is_a_setting:
                return found
    return None


def keyword_born(record: Record, stack: int, name: str, value: bool | float) -> Birth | None:
    """The birth of what a call at `stack` is given under a name, also by `**options`; None where it stands there."""
    births = Births(record.course)
    for file, statement in _statements(record, stack, 1):
        for given in (node for node in ast.walk(statement) if isinstance(node, ast.keyword)):
            if given.arg == name and not isinstance(given.value, ast.Constant):
                return births.of(file, statement.lineno, given.value, value)
            if given.arg is None:
                found = births.entry_of(file, statement.lineno, given.value, name, value)
                if found is not None:
                    return found
    return None


def number_born(record: Record, stack: int, is_it: Callable[[float], bool]) -> Birth | None:
    """The birth of a number that stands by a name in the statement at `stack`, and was set somewhere else."""
    births = Births(record.course)
    for file, statement in _statements(record, stack, 1):
        for node in ast.walk(statement):
            if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
                continue
            for value in births.numbers(file, statement.lineno, node):
                found = births.of(file, statement.lineno, node, value) if is_it(value) else None
                if found is not None and (found.is_a_setting or _is_elsewhere(found, file, statement)):
                    return found
    return None


def _is_elsewhere(birth: Birth, file: str, statement: ast.stmt) -> bool:
    return (birth.file, birth.line) != (file, statement.lineno)


class _Others:
    """All numbers but some."""

    def __init__(self, numbers: set[float]) -> None:
        self._numbers = numbers

    def __contains__(self, number: float) -> bool:
        return number not in self._numbers


def begun_with(record: Record, index: int) -> Birth | None:
    """The birth of the one number, set by somebody, that a parameter begins with which the operation reads directly."""
    for vid in record.ops[index].inputs if index >= 0 else ():
        value = record.values[vid]
        track = record.tracks[value.track] if value.track >= 0 else None
        if track is None or not track.is_constant or track.created < 0:
            continue
        place = record.stacks.places(track.created)[0]
        for op in record.ops:
            operation = operations.of(op.name)
            is_made = operation.fresh == "numbers" or (operation.reads_python and not op.inputs)
            if not is_made or place not in record.stacks.places(op.stack):
                continue
            sizes = {float(size) for size in track.shape}
            is_it = (set(op.numbers) - sizes or _Others(sizes)).__contains__
            found = number_born(record, track.created, is_it)
            if found is not None and found.is_a_setting:
                return found
    return None


def begun_with_computed(record: Record, index: int) -> int:
    """The stack at which a parameter that the operation reads directly was made of one number that is computed there,
    `torch.tensor(1 / temperature)`; -1 for none."""
    for vid in record.ops[index].inputs if index >= 0 else ():
        value = record.values[vid]
        track = record.tracks[value.track] if value.track >= 0 else None
        if track is None or not track.is_constant or track.created < 0:
            continue
        for _, statement in _statements(record, track.created, 1):
            calls = (node for node in ast.walk(statement) if isinstance(node, ast.Call) and node.args)
            made = (call for call in calls if operations.of(_called(call)).reads_python)
            if any(isinstance(call.args[0], ast.BinOp) for call in made):
                return track.created
    return -1


def _called(call: ast.Call) -> str:
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def threshold_born(record: Record, index: int, *, counted: bool = False) -> tuple[Birth, Op] | None:
    """The birth of the number with which something was compared, on the way to the operation, by what passes no
    gradient on: a mask, or a choice; and the comparison. With `counted`, also of a length that was taken elsewhere."""
    queue, seen = [(index, 0)], {index}
    while queue:
        current, depth = queue.pop(0)
        op = record.ops[current] if current >= 0 else None
        if op is None or depth > MAX_BEHIND:
            continue
        if operations.of(op.name).bounds and op.numbers:
            found = number_born(record, op.stack, set(op.numbers).__contains__)
            is_length = counted and found is not None and found.text.startswith("len(")
            if found is not None and (found.is_a_setting or found.is_whole or is_length):
                return found, op
        for vid in op.inputs:
            value = record.values[vid]
            if value.op >= 0 and value.op not in seen and not value.requires_grad:
                seen.add(value.op)
                queue.append((value.op, depth + 1))
    return None


def setting_behind(record: Record, index: int, position: int) -> Birth | None:
    """The birth of the number, set by somebody, by which an input of the operation was computed, the nearest first."""
    return next((birth for birth, _ in _settings_behind(record, index, position)), None)


def divided_twice(record: Record, index: int, position: int) -> tuple[Birth, int, int] | None:
    """(the birth of a number, the stack that divides by it, the stack that had done so before) where an input of the
    operation was divided twice by one setting, in two functions of the program."""
    stacks = record.stacks
    first: dict[tuple[str, int], int] = {}
    for birth, stack in _settings_behind(record, index, position):
        nearest = first.setdefault((birth.file, birth.line), stack)
        places = [(stacks.file(i), stacks.line(i)) for i in (nearest, stack)]
        is_one = stacks.codes[nearest] is stacks.codes[stack]
        if not is_one and all(_divides(*place) for place in places):
            return birth, nearest, stack
    return None


def _divides(file: str, line: int) -> bool:
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    return any(_is_division(node) for node in ast.walk(statement)) if statement is not None else False


def _is_division(node: ast.AST) -> bool:
    match node:
        case ast.BinOp(op=ast.FloorDiv() | ast.Div()):
            return True
        case ast.Call(func=ast.Attribute(attr=called)):
            return operations.of(called).name in ("div", "floor_divide")
    return False


def _settings_behind(record: Record, index: int, position: int) -> Iterator[tuple[Birth, int]]:
    """The births of the numbers, set by somebody, by which an input of the operation was computed, each with the stack
    of the computation; the nearest first."""
    inputs = record.ops[index].inputs
    queue = [(inputs[position], 0)] if position < len(inputs) else []
    for vid, depth in queue:
        made = record.values[vid].op
        if made < 0 or depth > MAX_BEHIND:
            continue
        op = record.ops[made]
        found = number_born(record, op.stack, set(op.numbers).__contains__) if op.numbers else None
        found = found or (_divisor_born(record, op.stack) if operations.of(op.name).reads_python else None)
        if found is not None and found.is_a_setting:
            yield found, project_stack(record.stacks, op.stack)
        queue += [(source, depth + 1) for source in op.inputs]


def _divisor_born(record: Record, stack: int) -> Birth | None:
    """The birth of the number by which something is divided in the statement at `stack`."""
    births = Births(record.course)
    for file, statement in _statements(record, stack, 1):
        for node in ast.walk(statement):
            if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.FloorDiv | ast.Div):
                continue
            for value in births.numbers(file, statement.lineno, node.right):
                found = births.of(file, statement.lineno, node.right, value)
                if found is not None and found.is_a_setting:
                    return found
    return None


def _arguments(statement: ast.stmt) -> Iterator[ast.expr]:
    for node in ast.walk(statement):
        match node:
            case ast.Call(args=args, keywords=keywords):
                given = (*args, *(keyword.value for keyword in keywords))
                yield from (part for part in given if not isinstance(part, ast.Call | ast.Starred | ast.Constant))
            case ast.Slice(lower=lower, upper=upper):
                yield from (part for part in (lower, upper) if part is not None)


def rate_born(record: Record, info: OptimizerInfo, *, written: bool) -> Birth | None:
    """The birth of a rate of 0: of the one last written into a group, or of the one that the optimizer was given."""
    births = Births(record.course)
    if written:
        return births.of_part("lr", 0)
    for file, statement in _behind(record, info.created) if info.created >= 0 else ():
        for given in _rates(statement):
            found = births.of(file, statement.lineno, given, 0)
            if found is not None:
                return found
    return _rate_within(record, births, info.created) if info.created >= 0 else None


def group_rate_born(record: Record, files: Iterable[str]) -> Birth | None:
    """The birth of the one rate of 0 that a statement of the program was seen to put into a group of parameters."""
    births, found = Births(record.course), dict[tuple[str, int], Birth]()
    for tree in filter(None, map(tree_of, files)):
        for statement in (one for one in tree.statements if _rated(one)):
            for given in _rates(statement):
                birth = births.of(tree.file, statement.lineno, given, 0)
                if birth is not None:
                    found[birth.file, birth.line] = birth
    return next(iter(found.values())) if len(found) == 1 else None


def _rated(statement: ast.stmt) -> bool:
    """Whether a simple statement has a group in it: what names its `params` and its `lr`."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.For | ast.While | ast.If):
        return False
    keys = [{getattr(key, "value", None) for key in n.keys} for n in ast.walk(statement) if isinstance(n, ast.Dict)]
    return any({"params", "lr"} <= each for each in keys)


def own_factor_born(record: Record, file: str, line: int, rate: ast.expr) -> Birth | None:
    """The birth of the 0 that a group has of its own, and that its rate is multiplied with: `lr * group["scale"]`."""
    return Births(record.course).held_factor(file, line, rate)


def _rate_within(record: Record, births: Births, stack: int) -> Birth | None:
    """The same in the functions that the call of the optimizer, or its caller's, was given the groups by."""
    course = record.course
    for file, statement in _statements(record, stack, 2):
        for sight in reversed(course.at(file, statement.lineno)):
            for inner in (inner for number in course.entered_from(sight) for inner in course.in_frame(number)):
                made = births.statement(inner)
                for given in _rates(made) if made is not None else ():
                    found = births.of(course.file_of(inner), inner.line, given, 0)
                    if found is not None:
                        return found
    return None


def factor_born(record: Record, info: OptimizerInfo) -> Birth | None:
    """The birth of the 0 that the function of the scheduler to blame returned."""
    births = Births(record.course)
    position = info.zeroed_by % len(info.schedulers)
    found = (births.returned(file, line, 0) for file, line in info.factors.get(position, ()))
    return next((birth for birth in found if birth is not None), None)


def unheard_before(record: Record, returned: Birth) -> Birth | None:
    """The setting without its effect by which a function comes to return the number, in one of its tests: a count of
    samples for which it waits, where steps are counted."""
    tree = tree_of(returned.file)
    statement = tree.statement_at(returned.line) if tree is not None else None
    decisions = Decisions(record.course)
    if tree is None or statement is None:
        return None
    for line, test, gave in tests_leading_to(tree, statement):
        passes = (decisions.in_pass(one, test, outcome=gave) for one in reversed(record.course.at(tree.file, line)))
        decision = next(filter(None, passes), None)
        birth = decision.birth if decision is not None else None
        if birth is not None and birth.kind in NOT_HEARD:
            return birth
    return None


def _rates(statement: ast.stmt) -> Iterator[ast.expr]:
    """What the statement gives as `lr`."""
    for node in ast.walk(statement):
        match node:
            case ast.Dict(keys=keys, values=values):
                yield from (
                    v for k, v in zip(keys, values, strict=True) if isinstance(k, ast.Constant) and k.value == "lr"
                )
            case ast.keyword(arg="lr", value=value):
                yield value


def _behind(record: Record, stack: int) -> Iterator[tuple[str, ast.stmt]]:
    """The statement at `stack`, its caller's, and those that put together what they hand over."""
    stacks = record.stacks
    yield from _statements(record, stack, 2)
    for frame in stacks.chain(stack)[:2]:
        for file, line, _ in sliced_statements(stacks.file(frame), stacks.line(frame)):
            tree = tree_of(file)
            statement = tree.statement_at(line) if tree is not None else None
            if statement is not None and not isinstance(statement, ast.FunctionDef | ast.ClassDef):
                yield file, statement


def _statements(record: Record, stack: int, frames: int) -> Iterator[tuple[str, ast.stmt]]:
    stacks = record.stacks
    for frame in stacks.chain(stack)[:frames]:
        tree = tree_of(stacks.file(frame))
        statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
        if tree is not None and statement is not None:
            yield tree.file, statement
