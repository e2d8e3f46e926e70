"""Which line of a region without gradients is to blame: what opens it, what switches it, or what stands in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from fxaudit.capture.recording import Op
from fxaudit.judge.questions.births import born_at
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack, source_at
from fxaudit.program.births import Births
from fxaudit.program.decisions import Decisions
from fxaudit.program.kept import decorator_of, kept_by
from fxaudit.program.source import SourceLine, is_library
from fxaudit.program.tree import Tree, tests_leading_to, tree_of

__all__ = ["decorated", "draws", "kept_within", "misplaced", "reused", "served", "switched_off"]

WITHOUT = re.compile(r"no_?grad|infer|eval|predict|froz|freez|stop|detach|without")
"""What a decorator is called that says itself that what it decorates has no gradient."""
Lines = list[tuple[SourceLine | None, str]]


def switched_off(audit: Audit, op: Op) -> tuple[SourceLine, Lines] | None:
    """Where the flag of `set_grad_enabled(flag)` has its value from, if that opened the region; and the stations."""
    place = _opening(audit, op)
    for node in ast.walk(place[1]) if place is not None else ():
        match node:
            case ast.Call(func=ast.Attribute(attr="set_grad_enabled") | ast.Name(id="set_grad_enabled"), args=[flag]):
                found = None
                if place is not None and not isinstance(flag, ast.Constant):
                    found = Births(audit.record.course).of(place[0].file, place[1].lineno, flag, False)
                if found is not None and found.is_a_setting:
                    return born_at(found)
    return None


def draws(audit: Audit, op: Op) -> bool:
    """Whether the user's line that opened the region draws from a distribution: `sample` of torch's opens one."""
    _, statement = _opening(audit, op) or (None, None)
    if statement is None or isinstance(statement, ast.With | ast.FunctionDef | ast.ClassDef):
        return False
    calls = (node.func for node in ast.walk(statement) if isinstance(node, ast.Call))
    return any(isinstance(called, ast.Attribute) and called.attr == "sample" for called in calls)


def misplaced(audit: Audit, op: Op, tracks: set[int]) -> SourceLine | None:
    """The statement in the block of a region that alone has to do with these parameters, where the block holds others
    that compute from other parameters: it was to stand behind the block."""
    tree, block = _opening(audit, op) or (None, None)
    if tree is None or not isinstance(block, ast.With):
        return None
    stacks = audit.record.stacks
    frames: dict[object, int] = {}
    for frame in stacks.chain(op.stack):
        frames.setdefault(stacks.codes[frame], frame)
    own: set[int] = set()
    others: set[int] = set()
    for other in audit.graph.ops:
        number = _statement(audit, tree, block, other, frames)
        if number is None:
            continue
        read = {audit.record.values[vid].track for vid in other.inputs} - {-1}
        if read & tracks:
            own.add(number)
        elif read:
            others.add(number)
    if len(own) == 1 and others - own and len(block.body) > 1:
        return source_at(tree.file, block.body[own.pop()].lineno)
    return None


def kept_within(audit: Audit, op: Op) -> SourceLine | None:
    """What keeps the result of an operation for later calls, in a function that a region of its caller's calls first:
    `if self.table is None:`."""
    stacks = audit.record.stacks
    opened = project_stack(stacks, op.region) if op.region >= 0 else -1
    home = stacks.codes[opened] if opened >= 0 else None
    within: tuple[str, int] | None = None
    for frame in stacks.chain(project_stack(stacks, op.stack)):
        if home is None or stacks.codes[frame] is home:
            return None
        place = (stacks.file(frame), stacks.line(frame))
        kept = 0 if is_library(place[0]) else kept_by(*place)
        if kept:
            decorator = decorator_of(*place, within) if within is not None else 0
            return source_at(within[0], decorator) if within is not None and decorator else source_at(place[0], kept)
        within = place
    return None


def reused(audit: Audit, op: Op) -> SourceLine | None:
    """The test, or else the statement, that takes from an attribute what was made without gradients, where `op` is the
    first operation with gradients that reads it."""
    stacks = audit.record.stacks
    frame = project_stack(stacks, op.stack)
    tree = tree_of(stacks.file(frame)) if frame >= 0 else None
    statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
    if tree is None or statement is None:
        return None
    stored = _kept_elsewhere(tree, statement)
    if not stored:
        return None
    scope = tree.function(statement)
    for outer in tree.ancestors(statement):
        if outer is scope:
            break
        if isinstance(outer, ast.If) and any(text in ast.unparse(outer.test) for text in stored):
            return source_at(tree.file, outer.lineno)
    return source_at(tree.file, statement.lineno)


def _kept_elsewhere(tree: Tree, statement: ast.stmt) -> set[str]:
    """The attributes that a statement reads, and another function assigns, as they are written."""
    read = {ast.unparse(n) for n in ast.walk(statement) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Load)}
    scope = tree.function(statement)
    return read & {
        ast.unparse(target)
        for node in tree.statements
        if isinstance(node, ast.Assign)
        and tree.function(node) is not scope
        and not isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Attribute) and getattr(tree.function(node), "name", "") != "__init__"
    }


def served(audit: Audit, op: Op) -> tuple[SourceLine, SourceLine] | None:
    """(the setting, or the default, by which a function hands out what was made in the region and kept, the line that
    hands it out), where it would have computed it anew otherwise: `if fresh or self.table is None:`."""
    stacks, decisions = audit.record.stacks, Decisions(audit.record.course)
    for reader in _readers(audit, op):
        frame = project_stack(stacks, reader.stack)
        tree = tree_of(stacks.file(frame)) if frame >= 0 else None
        statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
        if tree is None or statement is None or not _kept_elsewhere(tree, statement):
            continue
        for line, test, gave in tests_leading_to(tree, statement):
            decision = decisions.of(tree.file, line, test, gave)
            birth = decision.birth if decision is not None and not decision.is_compared else None
            if birth is not None and birth.is_a_setting and _computes_anew(tree, line, test):
                return source_at(birth.file, birth.line), source_at(tree.file, statement.lineno)
    return None


def _readers(audit: Audit, made: Op) -> Iterator[Op]:
    """The operations outside of the region that are given what was made in it."""
    values, graph, queue, seen = audit.record.values, audit.graph, list(made.outputs), set(made.outputs)
    while queue:
        for op in graph.consumers.get(queue.pop(0), ()):
            if op.grad_enabled:
                yield op
                continue
            fresh = [out for out in op.outputs if out not in seen and not values[out].requires_grad]
            seen.update(fresh)
            queue += fresh


def _computes_anew(tree: Tree, line: int, test: ast.expr) -> bool:
    """Whether the branch of the test calls what its object holds: `return self.tower(features)`."""
    branch = tree.statement_at(line)
    body = branch.body if isinstance(branch, ast.If) and branch.test is test else []
    calls = (node.func for part in body for node in ast.walk(part) if isinstance(node, ast.Call))
    return any(isinstance(called, ast.Attribute) and ast.unparse(called).startswith("self.") for called in calls)


def decorated(audit: Audit, op: Op) -> SourceLine | None:
    """The decorator's line on the function that runs in the region, where a decorator of the user's opens it, and says
    by its name that it does."""
    stacks = audit.record.stacks
    opened = project_stack(stacks, op.region) if op.region >= 0 else -1
    chain = stacks.chain(project_stack(stacks, op.stack))
    tree, block = _opening(audit, op) or (None, None)
    wrapper = tree.function(block) if tree is not None and block is not None else None
    maker = tree.function(wrapper) if tree is not None and wrapper is not None else None
    inside = [frame for frame in chain if stacks.codes[frame] is stacks.codes[opened]] if opened >= 0 else []
    if not isinstance(maker, ast.FunctionDef) or not inside or not WITHOUT.search(maker.name.lower()):
        return None
    for frame in reversed(chain[: chain.index(inside[0])]):  # what it decorates may be decorated once more
        file, line = stacks.file(frame), stacks.line(frame)
        run = tree_of(file) if not is_library(file) else None
        statement = run.statement_at(line) if run is not None else None
        function = run.function(statement) if run is not None and statement is not None else None
        for decorator in getattr(function, "decorator_list", ()):
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            if maker.name in (getattr(called, "attr", ""), getattr(called, "id", "")):
                return source_at(file, decorator.lineno)
    return None


def _opening(audit: Audit, op: Op) -> tuple[Tree, ast.stmt] | None:
    """The user's statement that opened the region of the operation."""
    stacks = audit.record.stacks
    frame = project_stack(stacks, op.region) if op.region >= 0 else -1
    tree = tree_of(stacks.file(frame)) if frame >= 0 else None
    statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
    return (tree, statement) if tree is not None and statement is not None else None


def _statement(audit: Audit, tree: Tree, block: ast.With, op: Op, frames: dict[object, int]) -> int | None:
    """The position in the block of the statement in which the operation ran, in the same call of the function."""
    stacks = audit.record.stacks
    for frame in stacks.chain(op.stack):
        known = frames.get(stacks.codes[frame])
        if known is None or stacks.file(frame) != tree.file or stacks.parents[frame] != stacks.parents[known]:
            continue
        line = stacks.line(frame)
        if block.body[0].lineno <= line <= (block.end_lineno or line):
            inside = [i for i, s in enumerate(block.body) if s.lineno <= line <= (s.end_lineno or s.lineno)]
            return inside[0] if inside else None
    return None
