"""A term of the loss that is written in a table, `{"aux": lambda out: …}`, and that the loop over the table passes by:
what decided against it is to blame."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from fxaudit.judge.questions.births import unread_setting
from fxaudit.judge.questions.unreached_reads import Lines, entries_of
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import blamed, source_at, was_entered
from fxaudit.program.course import Course, Sight
from fxaudit.program.decisions import Decision, Decisions
from fxaudit.program.plain import readings
from fxaudit.program.source import is_library
from fxaudit.program.tree import Tree, tree_of

__all__ = ["read_only_in_a_term_left_out", "switches_of"]


def read_only_in_a_term_left_out(audit: Audit, made: int, stack: int) -> tuple[Lines, str]:
    """Why no function ran that reads the key under which that is put which is made in the frame `made` and bound in the
    frame `stack`, where each of them is an entry of a table; the line to edit first, and what to
    do there ("": nothing certain)."""
    for entry in entries_of(audit, made, stack):
        scopes = [(tree, node, tree.function(node)) for tree, node in entry.readings]
        if not scopes or any(scope is None or _was_called(audit, tree, scope) for tree, _, scope in scopes):
            continue
        tree, node, scope = scopes[0]
        term = _name_in_table(audit, tree, scope) if scope is not None else None
        passed = _passed_by(audit.record.course, term) if term is not None else None
        if passed is None:
            continue
        loop, decision = passed
        told = [(source_at(tree.file, node.lineno), f"`{entry.key}` is read here, and this never runs")]
        test = source_at(loop, decision.line)
        told = [(test, f"`{term}` is passed by here, as `{decision.text}` decides"), *told]
        return blamed(decision, told), unread_setting(decision.birth)
    return [], ""


def _was_called(audit: Audit, tree: Tree, scope: ast.AST) -> bool:
    """Whether the function ran. The line of a lambda runs where it is made; but then it leaves no call."""
    if not isinstance(scope, ast.Lambda):
        return was_entered(tree, scope, audit.record.ran())
    stacks, body = audit.record.stacks, scope.body
    begin, end = (body.lineno, body.col_offset), (body.end_lineno or body.lineno, body.end_col_offset or 0)
    for index in range(len(stacks.codes)):
        if stacks.file(index) == tree.file and begin[0] <= stacks.line(index) <= end[0]:
            place = (stacks.line(index), stacks.column(index))
            if place[1] < 0 or begin <= place < end:  # several may stand in one line
                return True
    return False


def _name_in_table(audit: Audit, tree: Tree, scope: ast.AST) -> str | None:
    """The one key under which the function is an entry of a table."""
    name = getattr(scope, "name", None)
    found: set[str] = set()
    for file in audit.project_files:
        other = tree_of(file) if not is_library(file) else None
        for node in other.nodes if other is not None else ():
            match node:
                case ast.Dict(keys=keys, values=values):
                    pairs = zip(keys, values, strict=True)
                    found |= {str(k.value) for k, v in pairs if isinstance(k, ast.Constant) and _is_it(v, scope, name)}
                case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=str(key)))], value=value):
                    found |= {key} if _is_it(value, scope, name) else set()
    for decorator in getattr(scope, "decorator_list", ()):
        match decorator:
            case ast.Call(args=[ast.Constant(value=str(key)), *_]):
                found.add(key)
    return found.pop() if len(found) == 1 else None


def _is_it(value: ast.expr, scope: ast.AST, name: str | None) -> bool:
    return value is scope or (name is not None and getattr(value, "attr", getattr(value, "id", None)) == name)


def switches_of(course: Course, name: str) -> Iterator[tuple[str, Decision]]:
    """(file, decision) of the tests that left out of a sum, or did not compute a loss of, what has the name: in a round
    of a loop that has it for its turn, or by the name itself."""
    passed = _passed_by(course, name, _tests_before_a_sum)
    if passed is not None:
        yield passed
    decisions = Decisions(course)
    for sight in course.last_passes():
        statement = readings(course.file_of(sight)).statement(sight.line)
        if isinstance(statement, ast.If) and _names(statement.test, name) and _makes_a_term(statement.body):
            decision = decisions.in_pass(sight, statement.test, outcome=False)
            if decision is not None:
                yield course.file_of(sight), decision


def _names(test: ast.expr, name: str) -> bool:
    return any(isinstance(node, ast.Constant) and node.value == name for node in ast.walk(test))


def _makes_a_term(body: list[ast.stmt]) -> bool:
    """Whether something is added up there, or a loss is computed."""
    for node in (node for part in body for node in ast.walk(part)):
        match node:
            case ast.BinOp(op=ast.Add()) | ast.AugAssign(op=ast.Add()):
                return True
            case ast.Call(func=ast.Attribute(attr=called) | ast.Name(id=called)) if "loss" in called.lower():
                return True
    return False


def _tests_before_a_sum(loop: ast.For) -> Iterator[tuple[int, ast.expr, bool]]:
    """(line, test, what it gives where the round goes on without adding something up) of the tests in a loop."""
    for position, statement in enumerate(loop.body):
        if isinstance(statement, ast.If) and isinstance(statement.body[-1], ast.Continue):
            if _makes_a_term(loop.body[position + 1 :]):
                yield statement.lineno, statement.test, True
        elif isinstance(statement, ast.If) and _makes_a_term(statement.body):
            yield statement.lineno, statement.test, False


Tests = Callable[[ast.For], Iterator[tuple[int, ast.expr, bool]]]


def _passed_by(course: Course, term: str, tests: Tests | None = None) -> tuple[str, Decision] | None:
    """(file, decision) of the test in a loop that decided against the term whenever it was its turn."""
    decisions, tests = Decisions(course), tests or _tests_in
    for sight in course.last_passes():
        file = course.file_of(sight)
        looked_at = readings(file)
        loop = looked_at.statement(sight.line)
        if not isinstance(loop, ast.For):
            continue
        for frame in {other.frame for other in course.at(file, sight.line)}:
            for turn in _turns(course, frame, sight.line, loop, term):
                for at, test, outcome in tests(loop):
                    for inner in (one for one in turn if one.line == at):
                        decision = decisions.in_pass(inner, test, outcome=outcome)
                        if decision is not None:
                            return file, decision
    return None


def _turns(course: Course, frame: int, line: int, loop: ast.For, term: str) -> Iterator[list[Sight]]:
    """What ran in each round of the loop that has the term for its turn."""
    own: list[Sight] | None = None
    for sight in course.in_frame(frame):
        if sight.line == line:
            if own:
                yield own
            names = {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}
            is_turn = any(name in names and seen.value == term for name, seen in sight.bound.items())
            own = [] if is_turn else None
        elif own is not None:
            own.append(sight)
    if own:
        yield own


def _tests_in(loop: ast.For) -> Iterator[tuple[int, ast.expr, bool]]:
    """(line, test, what it gives where the round goes on without the call) of the tests in a loop that calls what it
    goes through."""
    names = {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}
    calls = [node for node in ast.walk(loop) if isinstance(node, ast.Call) and _called_of(node, names)]
    for statement in ast.walk(loop):
        if isinstance(statement, ast.If):
            if any(call in ast.walk(part) for call in calls for part in statement.body):
                yield statement.lineno, statement.test, False
            elif isinstance(statement.body[-1], ast.Continue):
                yield statement.lineno, statement.test, True


def _called_of(call: ast.Call, names: set[str]) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id in names
