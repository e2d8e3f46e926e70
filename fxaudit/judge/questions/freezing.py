"""Where a parameter was frozen. Shared by the rule on frozen parameters and by what a report says of each."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator

from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack, source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.births import Births
from fxaudit.program.decisions import Decision, Decisions
from fxaudit.program.given import argument_of, calls_in, last_name, passed
from fxaudit.program.groups import flags_set
from fxaudit.program.source import SourceLine, StackTable, is_library
from fxaudit.program.tree import Tree, tree_of

__all__ = [
    "asked_to_freeze",
    "counted_around",
    "decisions_around",
    "freezing_statement",
    "frozen_at",
    "last_freeze",
    "left_out_of_thaw",
    "never_thawed",
    "settle_frozen",
]

CALLERS = 3


def last_freeze(state: ParameterState) -> int:
    """The stack that froze the parameter last; -1 where that was not seen."""
    return next((stack for _, flag, stack in reversed(state.track.freezes) if not flag), -1)


def asked_to_freeze(audit: Audit, state: ParameterState) -> SourceLine | None:
    """The call of a function that sets the flag to what it is given, `set_requires_grad(net, False)`; of several the
    last one before the first step of an optimizer that holds the parameter. None where no such function froze it."""
    stacks = audit.record.stacks
    steps = [event.time for event in audit.record.steps() if state.index in event.tracks]
    froze = [(time, stack) for time, flag, stack in state.track.freezes if not flag]
    before = [stack for time, stack in froze if not steps or time < steps[0]] or [stack for _, stack in froze]
    frames = stacks.chain(project_stack(stacks, before[-1])) if before else ()
    chain = [frame for frame in frames if not is_library(stacks.file(frame))]
    tree = tree_of(stacks.file(chain[0])) if len(chain) > 1 else None
    statement = tree.statement_at(stacks.line(chain[0])) if tree is not None else None
    given, asked = _flag_given(statement), None
    while isinstance(given, ast.Name) and len(chain) > 1:
        call = _call_that_gives(stacks, chain[0], chain[1], given.id)
        if call is None:
            break
        given, asked, chain = call[0], chain[1], chain[1:]
    if asked is None:
        return None
    if given is None or isinstance(given, ast.Constant):
        return audit.source(asked)
    births, line = Births(audit.record.course), tree_of(stacks.file(asked))
    stated = line.statement_at(stacks.line(asked)) if line is not None else None
    birth = births.of(stacks.file(asked), stated.lineno, given, False) if stated is not None else None
    return source_at(birth.file, birth.line) if birth is not None and birth.is_a_setting else audit.source(asked)


def _call_that_gives(stacks: StackTable, frame: int, caller: int, name: str) -> tuple[ast.expr | None] | None:
    """What the caller of the frame's function gave it under the name, None for its default; None altogether where the
    function takes nothing of that name."""
    tree, other = tree_of(stacks.file(frame)), tree_of(stacks.file(caller))
    statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
    scope = tree.function(statement) if tree is not None and statement is not None else None
    if not isinstance(scope, ast.FunctionDef) or argument_of(scope, name) is None:
        return None
    calling = other.statement_at(stacks.line(caller)) if other is not None else None
    is_method = tree is not None and isinstance(tree.parents.get(scope), ast.ClassDef)
    for call in calls_in(calling):
        if last_name(call.func) == scope.name:
            return (passed(call, scope, name, is_method=is_method),)
    return (None,)


def decisions_around(audit: Audit, stack: int) -> Iterator[Decision]:
    """What the freeze at `stack` and the branches around it decided by, the innermost first, also in the callers."""
    stacks, decisions = audit.record.stacks, Decisions(audit.record.course)
    for frame in stacks.chain(project_stack(stacks, stack))[:CALLERS]:
        tree = tree_of(stacks.file(frame))
        statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
        inner: ast.AST | None = statement
        given = _flag_given(statement)
        if tree is not None and statement is not None and given is not None:
            decision = decisions.of(tree.file, statement.lineno, given, outcome=False)
            if decision is not None:
                yield decision
        for outer in tree.ancestors(statement) if tree is not None and statement is not None else ():
            if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
                break
            if isinstance(outer, ast.If) and tree is not None:
                decision = decisions.of(tree.file, outer.lineno, outer.test, outcome=inner in outer.body)
                if decision is not None:
                    yield decision
            inner = outer


def counted_around(audit: Audit, stack: int) -> Iterator[Decision]:
    """The numbers up to which the loops around the freeze at `stack` go, `for stage in self.stages[:frozen]`, or that a
    test around it compares with others, `if i < frozen`; the innermost first, also in the callers."""
    stacks, births = audit.record.stacks, Births(audit.record.course)
    for frame in stacks.chain(project_stack(stacks, stack))[:CALLERS]:
        tree = tree_of(stacks.file(frame))
        statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
        for header in tree.ancestors(statement) if tree is not None and statement is not None else ():
            match header:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    break
                case ast.For(iter=asked) | ast.If(test=ast.Compare() as asked):
                    is_test = isinstance(header, ast.If)
                case _:
                    continue
            for part in (n for n in ast.walk(asked) if isinstance(n, ast.Name | ast.Attribute | ast.Subscript)):
                numbers = births.numbers(stacks.file(frame), header.lineno, part)
                for number in numbers[-1:] if len(numbers) == 1 or not is_test else ():
                    birth = births.of(stacks.file(frame), header.lineno, part, number)
                    place = stacks.file(frame), header.lineno
                    yield Decision(*place, ast.unparse(asked), ast.unparse(part), number, birth)


def freezing_statement(audit: Audit, states: list[ParameterState]) -> tuple[Tree, ast.stmt] | None:
    """The statement that froze all of the parameters last; None where it is not one."""
    stacks = audit.record.stacks
    frames = {project_stack(stacks, last_freeze(state)) for state in states}
    frame = frames.pop() if len(frames) == 1 else -1
    tree = tree_of(stacks.file(frame)) if frame >= 0 else None
    statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
    return (tree, statement) if tree is not None and statement is not None else None


def never_thawed(audit: Audit, states: list[ParameterState]) -> Decision | None:
    """What `flag = counter >= begin` decided by, where that is what froze all of the parameters last, and the counter
    never came so far."""
    tree, statement = freezing_statement(audit, states) or (None, None)
    given, decisions = _flag_given(statement), Decisions(audit.record.course)
    if tree is None or statement is None or given is None or not decisions.counts(tree.file, statement.lineno, given):
        return None
    return decisions.of(tree.file, statement.lineno, given, outcome=False)


def left_out_of_thaw(audit: Audit, states: list[ParameterState]) -> tuple[SourceLine, list[ParameterState]] | None:
    """(the one line that unfreezes others, which the same line had frozen with all of `states`; these others)."""
    own = {state.index for state in states}
    if not all(state.held and all(not flag for _, flag, _ in state.track.freezes) for state in states):
        return None
    froze = {_places(audit, stack) for state in states for _, _, stack in state.track.freezes}
    others = [state for state in audit.having("trained") if state.index not in own and state.held]
    thaws: dict[tuple[str, int], list[ParameterState]] = {}
    for other in others:
        with_them = any(not flag and _places(audit, stack) in froze for _, flag, stack in other.track.freezes)
        for stack in {stack for _, flag, stack in other.track.freezes if flag} if with_them else ():
            place = next((one for one in _places(audit, stack) if all(one not in places for places in froze)), None)
            if place is not None:
                thaws.setdefault(place, []).append(other)
    if len(thaws) != 1:
        return None
    ((file, line), thawed), *_ = thaws.items()
    return source_at(file, line), thawed


def _places(audit: Audit, stack: int) -> tuple[tuple[str, int], ...]:
    """The lines of the user's, the innermost first, through which a flag was set."""
    stacks = audit.record.stacks
    return tuple((stacks.file(frame), stacks.line(frame)) for frame in stacks.chain(project_stack(stacks, stack)))


def _flag_given(statement: ast.stmt | None) -> ast.expr | None:
    """What a statement sets `requires_grad` to, where that is no constant."""
    match statement:
        case ast.Assign(targets=[ast.Attribute(attr="requires_grad")], value=given):
            pass
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="requires_grad_"), args=[given])):
            pass
        case _:
            return None
    return None if isinstance(given, ast.Constant) else given


def frozen_at(audit: Audit, state: ParameterState) -> SourceLine | None:
    """The last line that was seen to freeze the parameter, or that made it frozen, as `Embedding.from_pretrained`."""
    froze = next((audit.source(stack) for _, flag, stack in reversed(state.track.freezes) if not flag), None)
    if froze is None and state.held and not state.track.ever_required_grad:
        froze = audit.source(project_stack(audit.record.stacks, state.track.created))
    if froze is None and state.held and state.track.created < 0:  # made before anybody watched
        froze = _only_freeze(audit, state)
    return froze


def settle_frozen(audit: Audit) -> None:
    """Say of every frozen parameter which line of the user's froze it, or made it so, where that was seen."""
    stacks = audit.record.stacks
    lines: dict[int, SourceLine | None] = {}
    for state in audit.having("frozen"):
        track = state.track
        stack = next((stack for _, flag, stack in reversed(track.freezes) if not flag), -1)
        if stack < 0 and not track.ever_required_grad:
            stack = track.created
        if stack < 0:
            continue
        if stack not in lines:
            lines[stack] = audit.source(project_stack(stacks, stack))
        line = state.frozen_at = lines[stack]
        if line is not None:
            state.reason = f"`requires_grad` is False since {os.path.basename(line.file)}:{line.line}"


def _only_freeze(audit: Audit, state: ParameterState) -> SourceLine | None:
    """The one statement that freezes anything, in the file in which the optimizer is built, else in the program."""
    stacks = audit.record.stacks
    built = audit.recording.optimizers[state.held[0][0]].created
    nearest = [stacks.file(project_stack(stacks, built))] if built >= 0 else []
    places = flags_set(nearest, False) or flags_set(audit.project_files, False)
    return source_at(*places[0]) if len(places) == 1 else None
