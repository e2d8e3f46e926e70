"""Which line is to blame where old values come back every few steps."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable

from fxaudit.capture import operations
from fxaudit.capture.recording import Op
from fxaudit.judge.questions.births import born_at, zero_factor_born
from fxaudit.judge.questions.directions import direction_born
from fxaudit.judge.questions.modes import mode_born
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import common_frame, project_stack, source_at
from fxaudit.program.birth import Birth
from fxaudit.program.decisions import Decision, Decisions
from fxaudit.program.name_tests import tests_around
from fxaudit.program.put_backs import is_handed_on, sites
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Tree, call_sites, jumps_before, tree_of

__all__ = ["let_in", "put_back_at", "wrong_order"]

Lines = list[tuple[SourceLine | None, str]]
MAX_BEHIND = 12
"""So many operations are gone back from a write."""
CALLERS = 4
"""So many callers are asked by what test they came there."""


def put_back_at(audit: Audit, write: Op | None) -> tuple[SourceLine | None, Lines]:
    """The line to edit, and what is related to it: the setting by which the values are put back, or where that is done.

    `write` is the operation which wrote them; None where that was not recorded.
    """
    if write is None:
        return _by_text(audit)
    stacks = audit.record.stacks
    chain = stacks.chain(project_stack(stacks, write.stack))
    met, beside = _where_the_step_came_through(audit, chain[0])
    base = 0
    while base + 1 < len(chain) and chain[base] != met:
        tree = tree_of(stacks.file(chain[base]))
        statement = tree.statement_at(stacks.line(chain[base])) if tree is not None else None
        if tree is None or statement is None or not is_handed_on(tree, statement):
            break
        if _hands_on_itself(stacks.file(chain[base + 1]), stacks.line(chain[base + 1])):
            break  # `callback.on_epoch_begin(self)`: the callback knows what it does to whom
        base += 1
    here = audit.source(chain[base])
    written: Lines = [(audit.source(chain[0]), "written here")] if base else []
    share = _share_of_the_new(audit, write)
    if share is not None:
        line, stations = born_at(share)
        return line, [(here, "put back here"), *written, *stations]
    mode = _first_born(audit, chain[: base + CALLERS], mode_born)
    if mode is not None:
        line, stations = born_at(mode)
        return line, [(here, "put back here"), *written, *stations]
    asked = chain[base : base + CALLERS]
    for frame in asked[: asked.index(met) + 1] if met in asked else asked:
        decision = _decision(audit, stacks.file(frame), stacks.line(frame), beside if frame == met else 0)
        decision = decision or _choice(audit, stacks.file(frame), stacks.line(frame))
        if decision is not None and decision.birth is not None and _is_set(decision.birth):
            line, stations = born_at(decision.birth)
            test = (source_at(decision.file, decision.line), f"`{decision.text}` decides")
            return line, [test, (here, "put back here"), *written, *stations]
    born = _first_born(audit, chain[: base + CALLERS], direction_born)
    if born is not None:
        line, stations = born_at(born)
        return line, [(here, "put back here"), *written, *stations]
    return here, written


def _first_born(
    audit: Audit, frames: Iterable[int], ask: Callable[[Audit, Tree, ast.stmt], Birth | None]
) -> Birth | None:
    """What the question says of the statement at one of the frames, the innermost first."""
    stacks = audit.record.stacks
    for frame in frames:
        tree = tree_of(stacks.file(frame))
        statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
        found = ask(audit, tree, statement) if tree is not None and statement is not None else None
        if found is not None:
            return found
    return None


def _hands_on_itself(file: str, line: int) -> bool:
    """Whether a call at the line is given the object whose method it stands in."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call)] if statement is not None else []
    return any(isinstance(given, ast.Name) and given.id == "self" for call in calls for given in call.args)


def _share_of_the_new(audit: Audit, write: Op) -> Birth | None:
    """The birth of the 0 by which the trained values are multiplied where a mean of them and the old ones is written
    back. None where the old ones are the parameters of another model, which nobody trains: there the direction of the
    copy is to be turned, whatever the share."""
    record = audit.record
    untrained = {state.index for state in audit.states if not state.held}
    queue, seen = [write], {write.index}
    for op in queue:
        if any(record.values[vid].track in untrained for vid in op.inputs):
            return None
        if 0 in op.numbers and operations.of(op.name).scaled:
            return zero_factor_born(record, op.stack, 1)
        for vid in op.inputs:
            made = record.values[vid].op
            if made >= 0 and made not in seen and len(seen) < MAX_BEHIND:
                seen.add(made)
                queue.append(record.ops[made])
    return None


def _choice(audit: Audit, file: str, line: int) -> Decision | None:
    """What the choice decided by that gave a name in the statement at the line its value: `a if test else b`."""
    tree, decisions = tree_of(file), Decisions(audit.record.course)
    statement = tree.statement_at(line) if tree is not None else None
    if tree is None or statement is None:
        return None
    scope = tree.function(statement)
    names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
    for node in ast.walk(scope or tree.root):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.IfExp) and tree.function(node) is scope:
            bound = {n.id for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name)}
            if bound & names:
                for outcome in (True, False):
                    found = decisions.of(file, node.lineno, node.value.test, outcome=outcome)
                    if found is not None:
                        return found
    return None


def _is_set(birth: Birth) -> bool:
    """Whether somebody wrote the value down, and not as the answer of a function."""
    tree = tree_of(birth.file)
    statement = tree.statement_at(birth.line) if tree is not None else None
    return birth.is_a_setting and not isinstance(statement, ast.Return)


def let_in(audit: Audit, write: Op) -> tuple[SourceLine, str] | None:
    """The test that lets a parameter in to what `write` does to it, and its text, where the same statement does that to
    others, too, which train nevertheless."""
    record = audit.record
    stack = project_stack(record.stacks, write.stack)
    file, line = record.stacks.file(stack), record.stacks.line(stack)
    tracks = {state.index for state in audit.having("trained")}
    written = (op for op in record.ops if any(record.values[vid].track in tracks for vid in op.mutates))
    frames = (project_stack(record.stacks, op.stack) for op in written)
    tree = tree_of(file)
    if tree is None or not any(record.stacks.line(f) == line and record.stacks.file(f) == file for f in frames):
        return None
    statement = tree.statement_at(line)
    tests = [test for test, _ in tests_around(tree, line) if _asks_for_text(test)]
    if not tests or statement is None or _looks_up(statement, tests[0]):
        return None  # what is written may be another for each name
    return source_at(file, tests[0].lineno), ast.unparse(tests[0])


def _asks_for_text(test: ast.expr) -> bool:
    match test:
        case ast.Compare(ops=[ast.In() | ast.NotIn()]):
            return True
        case ast.Call(func=ast.Attribute(attr=asked)):
            return asked in ("startswith", "endswith", "match", "search", "fullmatch")
    return False


def _looks_up(statement: ast.stmt, test: ast.expr) -> bool:
    """Whether the statement looks something up by what the test asks: `masks[name]`."""
    asked = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)}
    for node in ast.walk(statement):
        match node:
            case ast.Subscript(slice=ast.Name(id=key)) | ast.Call(func=ast.Attribute(), args=[ast.Name(id=key), *_]):
                if key in asked:
                    return True
    return False


def wrong_order(audit: Audit, step: int, write: int) -> tuple[SourceLine | None, Lines]:
    """Of a step and of what puts the old value back after it, the one statement to move, and what is related to it."""
    stacks = audit.record.stacks
    stepped, written = audit.source(project_stack(stacks, step)), audit.source(project_stack(stacks, write))
    frame = common_frame(stacks, write, step)
    tree = tree_of(stacks.file(frame))
    statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
    loops = [node for node in tree.ancestors(statement) if isinstance(node, ast.For)] if tree and statement else []
    beside = stacks.line(common_frame(stacks, step, write))
    if statement is None or any(not loop.lineno <= beside <= (loop.end_lineno or 0) for loop in loops):
        return stepped, [(written, "the value from before comes back here")]
    here = audit.source(frame)
    return here, [(written, "the value from before comes back here"), (stepped, "the step whose change is lost")]


def _where_the_step_came_through(audit: Audit, write: int) -> tuple[int, int]:
    """The frame of the write in the innermost function through which a step came, too, and the line at which it did; -1
    and 0 where none was seen. A test further out decides whether anything is trained, and not that it is put back."""
    steps, stacks = audit.record.steps(), audit.record.stacks
    if not steps:
        return -1, 0
    step = steps[-1].stack
    met, beside = common_frame(stacks, write, step), common_frame(stacks, step, write)
    return (met, stacks.line(beside)) if stacks.codes[met] is stacks.codes[beside] else (-1, 0)


def _decision(audit: Audit, file: str, line: int, beside: int) -> Decision | None:
    """What the innermost test around the line, or before it in its block, decided by, if the line `beside` does not
    stand behind the same test."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    if tree is None or statement is None:
        return None
    inner: ast.AST = statement
    decisions = Decisions(audit.record.course)
    for outer in tree.ancestors(statement):
        for jump in jumps_before(outer, inner):
            if not jump.lineno <= beside <= (jump.end_lineno or 0):
                found = decisions.of(tree.file, jump.lineno, jump.test, outcome=False)
                if found is not None:
                    return found
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
            return None
        if isinstance(outer, ast.If) and inner is not outer.test:
            if outer.lineno <= beside <= (outer.end_lineno or 0):
                return None
            return decisions.of(tree.file, outer.lineno, outer.test, outcome=inner in outer.body)
        inner = outer
    return None


def _by_text(audit: Audit) -> tuple[SourceLine | None, Lines]:
    """The same by the text of the program: the one statement that has not run so far and may have done it."""
    files, ran = audit.project_files, audit.record.ran()
    found = [(tree, node) for tree, node in sites(files, ran)]
    if not found:
        return None, []
    tree, node = found[0]
    statement = tree.statement(node)
    scope = tree.function(node)
    here = source_at(tree.file, node.lineno)
    if statement is not None and is_handed_on(tree, statement):
        calls = [*call_sites(files, getattr(scope, "name", ""))]
        for other, call in calls[:1]:
            return source_at(other.file, call.lineno), [(here, "written here")]
    return here, []
