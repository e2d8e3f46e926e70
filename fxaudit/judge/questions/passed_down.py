"""A value that is handed from module to module, and that a module in between does not hand on."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.capture.recording import Op
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack, source_at
from fxaudit.program.course import Course, Seen, Sight
from fxaudit.program.decisions import Decision
from fxaudit.program.evaluation import NOT_KNOWN, evaluated
from fxaudit.program.given import calls_in, last_name
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Tree, tree_of

__all__ = ["PASSED_DOWN", "not_passed_down", "stopped_before"]

PASSED_DOWN = "Go through `modules()` here, or let the module that stands in between hand it on, too."
Lines = list[tuple[SourceLine, str]]


def not_passed_down(audit: Audit, decision: Decision) -> Lines:
    """The loop over the parts of a module that tells them what the test asks for, and passes over the module in which
    the one stands that asks: (line, role) pairs, the line to edit first; or the method of that module, where it keeps
    the value for itself. None where there is no such module in between."""
    tree = tree_of(decision.file)
    statement = tree.statement_at(decision.line) if tree is not None else None
    if statement is None:
        return []
    test = ast.parse(decision.text, mode="eval").body
    return _stopped(audit, decision.file, statement.lineno, test, decision.operand)


def stopped_before(audit: Audit, op: Op) -> Lines:
    """The same for what is asked in the function in which the operation ran, or that opened its region."""
    stacks = audit.record.stacks
    frame = project_stack(stacks, op.region if op.region >= 0 else op.stack)
    tree = tree_of(stacks.file(frame)) if frame >= 0 else None
    statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
    scope = tree.function(statement) if tree is not None and statement is not None else None
    if tree is None or scope is None:
        return []
    for test in _tests(scope):
        asking = tree.statement(test)
        if asking is None:
            continue
        operands = {ast.unparse(part) for part in ast.walk(test) if isinstance(part, ast.Attribute)}
        found = (_stopped(audit, tree.file, asking.lineno, test, operand) for operand in sorted(operands))
        stopped = next(filter(None, found), [])
        if stopped:
            return stopped
    return []


def _tests(scope: ast.AST) -> Iterator[ast.expr]:
    """What the function asks, and what it compares."""
    for node in ast.walk(scope):
        match node:
            case ast.If(test=test) | ast.IfExp(test=test):
                yield test
            case ast.Compare():
                yield node


def _stopped(audit: Audit, file: str, line: int, test: ast.expr, operand: str) -> Lines:
    owner, _, name = operand.rpartition(".")
    course = audit.record.course
    sights = [sight for sight in course.at(file, line) if operand in sight.read and "self" in sight.read]
    values = {str(sight.read[operand]) for sight in sights}
    if owner != "self" or len(values) != 1 or len({sight.read["self"].token for sight in sights}) != 1:
        return []
    asking, told = sights[-1].read["self"], _told(course, name)
    if asking.token in told or not any(_goes_the_other_way(test, sights[-1], operand, v) for v in told.values()):
        return []
    around = _around(audit, str(asking.value))
    for tree, loop, item, method in _loops(audit, name):
        passed = _passed(course, tree, loop, item)
        if asking.token in passed:
            continue
        for token, kind in passed.items():
            if kind in around and token not in told and not _has(audit, kind, method):
                what = f"has no `{method}`" if method else "is not told"
                role = f"`{kind}`, in which the `{asking.value}` stands, {what}: this stays as it was"
                return [(source_at(tree.file, loop.lineno), ""), (source_at(file, line), role)]
            if kind in around and token in told and (own := _keeping(audit, kind, method)) is not None:
                role = f"`{kind}`, in which the `{asking.value}` stands, keeps it for itself: this stays as it was"
                return [(own, ""), (source_at(file, line), role)]
    return []


def _told(course: Course, name: str) -> dict[int, Seen]:
    """Object → what it was given under the name, of those that were given something else than a constant."""
    found: dict[int, Seen] = {}
    for sight in course.sights:
        for target, (owner, part) in sight.owners.items():
            tree = tree_of(course.file_of(sight)) if part == name and owner >= 0 else None
            statement = tree.statement_at(sight.line) if tree is not None else None
            if isinstance(statement, ast.Assign) and not isinstance(statement.value, ast.Constant):
                found[owner] = sight.bound[target] if target in sight.bound else found.get(owner, Seen("object"))
    return found


def _goes_the_other_way(test: ast.expr, sight: Sight, operand: str, value: Seen) -> bool:
    before, after = (evaluated(test, {**sight.read, operand: seen}) for seen in (sight.read[operand], value))
    return value.is_plain and NOT_KNOWN not in (before, after) and bool(before) is not bool(after)


def _around(audit: Audit, kind: str) -> set[str]:
    """The classes of the modules in which a module of that class stands."""
    recording = audit.recording
    inner = {module.index for module in recording.modules if module.type == kind}
    return {
        module.type
        for module in recording.modules
        if module.index not in inner and any(part.index in inner for _, part in recording.below(module))
    }


def _loops(audit: Audit, name: str) -> Iterator[tuple[Tree, ast.For, str, str]]:
    """(tree, loop, what it calls an item, the method by which it tells it; "" where it writes the attribute)."""
    methods = _methods_that_store(audit, name)
    for tree in filter(None, map(tree_of, audit.project_files)):
        for loop in (node for node in tree.statements if isinstance(node, ast.For)):
            items = {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}
            for node in (node for part in loop.body for node in ast.walk(part)):
                match node:
                    case ast.Call(func=ast.Attribute(value=ast.Name(id=item), attr=method)):
                        if item in items and method in methods:
                            yield tree, loop, item, method
                    case ast.Attribute(value=ast.Name(id=item), attr=part, ctx=ast.Store()):
                        if item in items and part == name:
                            yield tree, loop, item, ""


def _methods_that_store(audit: Audit, name: str) -> set[str]:
    """The methods, other than constructors, that give `self` something under the name."""
    return {
        method.name
        for _, kind in _classes(audit)
        for method in kind.body
        if isinstance(method, ast.FunctionDef) and method.name != "__init__"
        for node in ast.walk(method)
        if isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.ctx, ast.Store)
    }


def _passed(course: Course, tree: Tree, loop: ast.For, item: str) -> dict[int, str]:
    """The objects, and their classes, that the loop came to."""
    lines = {node.lineno for part in loop.body for node in ast.walk(part) if isinstance(node, ast.stmt)}
    seen = [sight.read[item] for line in lines for sight in course.at(tree.file, line) if item in sight.read]
    seen += [sight.bound[item] for sight in course.at(tree.file, loop.lineno) if item in sight.bound]
    return {one.token: str(one.value) for one in seen if one.token >= 0}


def _classes(audit: Audit) -> Iterator[tuple[Tree, ast.ClassDef]]:
    for tree in filter(None, map(tree_of, audit.project_files)):
        yield from ((tree, node) for node in tree.statements if isinstance(node, ast.ClassDef))


def _has(audit: Audit, kind: str, method: str) -> bool:
    """Whether the class, or one that it is made of in the project, has the method."""
    for _, one in _classes(audit):
        if one.name == kind:
            own = any(isinstance(part, ast.FunctionDef) and part.name == method for part in one.body)
            return own or any(_has(audit, last_name(base), method) for base in one.bases if last_name(base) != kind)
    return False


def _keeping(audit: Audit, kind: str, method: str) -> SourceLine | None:
    """The method of the class's own that hands on nothing."""
    for tree, one in _classes(audit):
        for part in one.body if one.name == kind else ():
            if isinstance(part, ast.FunctionDef) and part.name == method:
                calls = [last_name(call.func) for inner in part.body for call in calls_in(inner)]
                return None if method in calls or "apply" in calls else source_at(tree.file, part.lineno)
    return None
