"""From what happened to the line an expert would edit."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable

from fxaudit.capture.recording import Record
from fxaudit.program.config_files import SUFFIXES
from fxaudit.program.counts import begins_anew, waits_for_itself
from fxaudit.program.deciders import decider_at
from fxaudit.program.decisions import Decision, Decisions
from fxaudit.program.handing import collection_at
from fxaudit.program.keys import is_put_together
from fxaudit.program.overrides import overrides_of
from fxaudit.program.plain import count_of, lineage_of
from fxaudit.program.ran import Ran
from fxaudit.program.registrations import registration_of
from fxaudit.program.source import SourceLine, StackTable, is_library
from fxaudit.program.spelling import letters_apart, shares_words
from fxaudit.program.tree import (
    FunctionNode,
    Obstacle,
    Tree,
    binding_of,
    call_sites,
    obstacles,
    tree_of,
    uncalled_mentions,
)
from fxaudit.program.values import has_rounds, origins_of_test

__all__ = [
    "behind_test",
    "binding_stack",
    "blamed",
    "calls_not_run",
    "common_frame",
    "decided_from",
    "decision_at",
    "method_call_of",
    "methods_of",
    "never_called",
    "obstacles_to_entering",
    "overridden",
    "project_files",
    "project_stack",
    "registered",
    "return_after",
    "return_of",
    "share_a_loop",
    "skipping_return",
    "source_at",
    "user_place",
    "was_entered",
    "why_never_called",
]


def source_at(file: str, line: int, function: str = "") -> SourceLine:
    """A line that no recorded call ran."""
    tree = tree_of(file) if not file.endswith(SUFFIXES) else None  # what JSON and TOML say may be Python, too
    if tree is not None and not function:
        function = getattr(_scope_at(tree, line), "name", "<module>")
    return SourceLine.at(file, line, function)


def _scope_at(tree: Tree, line: int) -> FunctionNode | None:
    """The function that the line stands in; None where it stands in none."""
    statement = tree.statement_at(line)
    return tree.function(statement) if statement is not None else None


def project_files(record: Record) -> list[str]:
    """The user's own files, as far as any recorded call came through them, or the course of the program did."""
    files = dict.fromkeys([*(code.co_filename for code in record.stacks.codes), *record.course.files()])
    return [file for file in files if not is_library(file) and tree_of(file) is not None]


def project_stack(stacks: StackTable, stack: int) -> int:
    """The innermost frame of `stack` in the user's own project; the stack itself where there is none."""
    return next((i for i in stacks.chain(stack) if not is_library(stacks.file(i))), stack)


def user_place(stacks: StackTable, stack: int) -> tuple[str, int]:
    """(file, line) of the innermost frame of `stack` that is the user's."""
    frame = project_stack(stacks, stack)
    return stacks.file(frame), stacks.line(frame)


def common_frame(stacks: StackTable, stack: int, other: int) -> int:
    """The frame of `stack` that belongs to the innermost function also running in `other`."""
    running = {stacks.codes[index] for index in stacks.chain(other)}
    return next((index for index in stacks.chain(stack) if stacks.codes[index] in running), stack)


def share_a_loop(stacks: StackTable, stack: int, other: int) -> bool:
    """Whether both stacks come through the same function, and there through the body of the same loop."""
    beside = {stacks.codes[index]: index for index in reversed(stacks.chain(other))}
    for index in stacks.chain(stack):
        tree = tree_of(stacks.file(index)) if stacks.codes[index] in beside else None
        if tree is None or is_library(stacks.file(index)):
            continue
        lines = (stacks.line(index), stacks.line(beside[stacks.codes[index]]))
        one, another = (tree.loops_at(line) for line in lines)
        if one & another:
            return True
    return False


def binding_stack(stacks: StackTable, stack: int) -> int:
    """The frame in which the value computed at `stack` is bound or dropped, following `return` outwards; what a lambda
    computes, it returns, whatever the statement binds that makes the lambda."""
    chain = stacks.chain(stack)
    for index in chain:
        if stacks.codes[index].co_name == "<lambda>":
            continue
        if binding_of(stacks.file(index), stacks.line(index), stacks.column(index)).kind != "returned":
            return index
    return chain[-1] if chain else stack


def return_of(files: Iterable[str], qualified: str, method: str) -> SourceLine | None:
    """The last `return` of `method` in the class whose qualified name ends in `qualified`."""
    wanted = qualified.rpartition(".")[2]
    for file in files:
        tree = tree_of(file)
        if tree is None:
            continue
        for node in tree.nodes:
            if isinstance(node, ast.ClassDef) and node.name == wanted:
                for member in node.body:
                    if isinstance(member, ast.FunctionDef) and member.name == method:
                        returns = _returns(tree, member)
                        line = returns[-1].lineno if returns else member.lineno
                        return source_at(file, line, f"{wanted}.{method}")
    return None


def _returns(tree: Tree, scope: ast.AST) -> list[ast.Return]:
    """The `return`s of the function itself, in the order in which they stand."""
    own = (node for node in ast.walk(scope) if isinstance(node, ast.Return) and tree.function(node) is scope)
    return sorted(own, key=lambda node: node.lineno)


def method_call_of(files: Iterable[str], qualified: str, called: str) -> SourceLine | None:
    """The first call of `something.called(…)` in the class whose qualified name ends in `qualified`."""
    wanted = qualified.rpartition(".")[2]
    for tree, call in call_sites(files, called):
        owner = next((outer for outer in tree.ancestors(call) if isinstance(outer, ast.ClassDef)), None)
        if owner is not None and owner.name == wanted:
            return source_at(tree.file, call.lineno)
    return None


def return_after(file: str, line: int, ran: Collection[int] = ()) -> tuple[SourceLine | None, str]:
    """The last `return` with a value in the function that `line` stands in, if it comes after it: (line, role).

    Of several, one of those that `ran`.
    """
    tree = tree_of(file)
    scope = _scope_at(tree, line) if tree is not None else None
    if tree is None or not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
        return None, ""
    later = [node for node in _returns(tree, scope) if node.value is not None and node.lineno > line]
    if not later:
        return None, ""
    last = ([node for node in later if node.lineno in ran] or later)[-1]
    held = {ast.unparse(n) for n in ast.walk(last) if isinstance(n, ast.Name | ast.Attribute)}
    is_returned = not held.isdisjoint((*binding_of(file, line).names, collection_at(file, line)))
    role = (
        "it is returned here, and not used by the loss" if is_returned else "what is returned here does not contain it"
    )
    return source_at(file, last.lineno), role


def skipping_return(stacks: StackTable, stack: int) -> SourceLine | None:
    """The branch that ends, without the value bound at `stack`, the function that returns it further down."""
    frame = binding_stack(stacks, stack)
    file, line = stacks.file(frame), stacks.line(frame)
    tree = tree_of(file)
    scope = _scope_at(tree, line) if tree is not None else None
    if tree is None or not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    names = set(binding_of(file, line).names)
    later = [node for node in _returns(tree, scope) if node.lineno > line]
    carries = [any(isinstance(n, ast.Name) and n.id in names for n in ast.walk(node)) for node in later]
    for number, node in enumerate(later):
        branch = next((outer for outer in tree.ancestors(node) if isinstance(outer, ast.If)), None)
        if branch is not None and branch.lineno > line and not carries[number] and any(carries[number:]):
            return source_at(file, branch.lineno)
    return None


def why_never_called(
    record: Record,
    attribute: str,
    seen: Iterable[int] = (),
    receivers: frozenset[str] = frozenset(),
    done: frozenset[str] = frozenset(),
) -> list[tuple[SourceLine, str]]:
    """Why no call of `attribute` ran: (line, role) pairs, the decisive one first.

    Call sites in the user's files are listed, those seen running (the frames of the `seen` stacks) subtracted. What
    remains is kept from running by a branch, an early exit, or because its function is never called; or it is no call
    at all (`optimizer.step` without parentheses). `receivers` limits the sites to these variable or attribute names.
    `done` names methods that other code has called for the same thing: a function that nobody calls and that would do
    so again is left over from an older version, and not missed.
    """
    stacks = record.stacks
    files = project_files(record)
    lines = {(stacks.file(i), stacks.line(i)) for stack in seen for i in stacks.chain(stack)}
    ran = record.ran()
    mentions = [
        (tree, node)
        for tree, node in uncalled_mentions(files, attribute)
        if not receivers or _receiver(node.value) in receivers
    ]
    if mentions:
        tree, mention = mentions[0]
        return [
            (source_at(tree.file, mention.lineno), "the method is named, but not called: the parentheses are missing")
        ]
    sites = [
        (tree, node)
        for tree, node in call_sites(files, attribute)
        if (tree.file, node.lineno) not in lines
        and isinstance(node.func, ast.Attribute)
        and (not receivers or _receiver(node.func) in receivers)
    ]
    best: list[tuple[SourceLine, str]] = []
    idle: list[tuple[SourceLine, str]] = []
    for tree, node in sites:
        found = _decisive(files, obstacles(tree, node, ran.of(tree.file)))
        where = source_at(tree.file, node.lineno)
        function = tree.function(node)
        uncalled = never_called(record, tree, function) if function is not None else []
        if found and not uncalled:
            told = [*_lines(found), (where, "the call that never runs")]
            anew = begins_anew(record.course, found[0])
            if anew is not None:
                again = (source_at(anew[0], anew[1]), f"`{anew[2]}` begins anew here, each time")
                return [again, *told, *behind_test(record, files, found[0])]
            return _explained(record, files, found[0], told, [])
        if receivers and node.lineno in ran.of(tree.file):
            idle = idle or [(where, "this call runs, and what it calls passes it on to nobody")]
        scope = tree.function(node)
        if scope is not None and not was_entered(tree, scope, ran):
            outer = _why_not_entered(record, files, tree, scope) or overridden(files, tree, scope, ran)
            if not outer and _does_one_of(scope, done):
                continue
            outer = outer or registered(files, tree, scope)
            candidate = [*outer, (where, f"the call stands in `{getattr(scope, 'name', 'lambda')}`, which never runs")]
            if outer:
                return candidate
            best = best or [*uncalled, (candidate[-1][0], candidate[-1][1])]
    return idle or best


def let_run(attribute: str, why: list[tuple[SourceLine, str]]) -> str:
    """What to do about a call that is there and never ran, as `why_never_called` tells; "" where it tells nothing."""
    return f"Make the `{attribute}` that is there run: {why[0][1].removesuffix(', from here')}." if why else ""


def _does_one_of(scope: ast.AST, methods: frozenset[str]) -> bool:
    """Whether the function calls one of these methods."""
    calls = (node.func for node in ast.walk(scope) if isinstance(node, ast.Call))
    return any(isinstance(called, ast.Attribute) and called.attr in methods for called in calls)


def calls_not_run(record: Record, attributes: Iterable[str], more: Iterable[str] = ()) -> list[tuple[str, int]]:
    """(file, line) of the calls of these methods in the user's files, and `more`, that no recorded stack shows running.

    A `requires_grad_(False)` does not count: it lets nothing train.
    """
    ran = record.ran()
    found = []
    files = [*project_files(record), *more]
    for attribute in attributes:
        for tree, node in call_sites(files, attribute):
            false = any(isinstance(a, ast.Constant) and a.value is False for a in node.args)
            if not false and node.lineno not in ran.of(tree.file) and isinstance(node.func, ast.Attribute):
                found.append((tree.file, node.lineno))
    return found


def _lines(found: list[Obstacle]) -> list[tuple[SourceLine, str]]:
    return [(source_at(o.file, o.line), o.role) for o in found[:2]]


def behind_test(record: Record, files: Iterable[str], obstacle: Obstacle) -> list[tuple[SourceLine, str]]:
    """Where what the branch or loop decides by gets its value: as it was seen; else, as far as the source tells, what
    is 0, false or nothing first, then the nearest."""
    seen = _decided_by(record, obstacle)
    if seen:
        return seen
    found = origins_of_test(files, obstacle.file, obstacle.line)
    telling = sorted(
        (origin for origin in found if not origin.is_handed_on),
        key=lambda origin: not (origin.is_nothing and origin.is_unconditional),
    )
    return [
        (source_at(o.file, o.line), f"`{o.name}` {'is nothing' if o.is_nothing else 'comes from'} here")
        for o in telling
    ]


def decision_at(record: Record, obstacle: Obstacle) -> Decision | None:
    """Why the test went the one way whenever it was seen; None where it was not seen, or that cannot be told."""
    found = decider_at(obstacle.file, obstacle.line)
    decisions = Decisions(record.course)
    if found is not None and obstacle.has_no_round:
        return decisions.no_round(obstacle.file, obstacle.line, found[1])
    if found is None or obstacle.gave is None:
        return None
    return decisions.of(obstacle.file, obstacle.line, found[1], outcome=obstacle.gave)


def blamed(decision: Decision, told: list[tuple[SourceLine, str]]) -> list[tuple[SourceLine, str]]:
    """The lines that explain a test, the one to edit first: where the flag was set that it asks for, or the test,
    which may stand in a function that was asked; `told` are the lines of the program that asks."""
    behind = decided_from(decision)
    place = decision.place
    birth = decision.birth
    if birth is not None and place == (birth.file, birth.line):
        return [*behind[:1], *told, *behind[1:]]
    test = source_at(decision.file, decision.line)
    if told and (told[0][0].file, told[0][0].line) == (test.file, test.line):
        return [*told, *behind]
    return [(test, f"`{decision.text}` decides"), *told, *behind]


def _decided_by(record: Record, obstacle: Obstacle) -> list[tuple[SourceLine, str]]:
    """The operand that decided, with the value it had, at the line from which it has it."""
    decision = decision_at(record, obstacle)
    if decision is None or decision.birth is None:
        return []
    return [(line, role) for line, role in decided_from(decision) if line.line != obstacle.line]


def decided_from(decision: Decision) -> list[tuple[SourceLine, str]]:
    """The line from which the operand that decided has its value, and the stations from there to the test."""
    birth = decision.birth
    if birth is None:
        return []
    is_unread = birth.kind == "misspelt"
    where = "as nobody asks for this by its name" if is_unread else "from here"
    told = (birth.file, birth.line, f"`{decision.operand}` is {decision.value!r}, {where}")
    places = [told, *birth.because, *reversed(birth.stations)]
    return [(source_at(file, line), role) for file, line, role in places]


def _decisive(files: list[str], found: list[Obstacle]) -> list[Obstacle]:
    """Without the outer loops that certainly have rounds, `for epoch in range(3)`: nothing was seen running in them
    because of what stands inside."""
    while len(found) > 1 and has_rounds(files, found[0].file, found[0].line):
        found = found[1:]
    return found


def was_entered(tree: Tree, scope: ast.AST, ran: Ran) -> bool:
    """Whether something was seen running in the body of the function `scope`."""
    body = getattr(scope, "body", [])
    statements = body if isinstance(body, list) else [body]
    return any(part.lineno <= line <= part.end_lineno for part in statements for line in ran.of(tree.file))


def never_called(record: Record, tree: Tree, scope: ast.AST) -> list[tuple[SourceLine, str]]:
    """Where a function begins that never ran, and whose name stands nowhere else in the program, nor is put together
    from what stands there; in its place a method of a class that its own is derived from may have run."""
    name = getattr(scope, "name", "")
    if not name or was_entered(tree, scope, record.ran()):
        return []
    files = project_files(record)
    if any(count_of(file, name) for file in files) or is_put_together(files, name):
        return []
    told = [(source_at(tree.file, scope.lineno), f"nobody calls `{name}`")]  # type: ignore[attr-defined]
    owner = tree.parents.get(scope)
    bases = lineage_of(files, getattr(owner, "name", ""))[1:]
    ran = {frame.function for frame in record.course.frames}
    beside = [f"{base}.{method}" for base in bases for method in methods_of(files, base) if f"{base}.{method}" in ran]
    near = [method for method in beside if _is_near(method.rpartition(".")[2], name)]
    return [(told[0][0], f"nobody calls `{name}`; `{near[0]}` runs")] if len(near) == 1 else told


def _is_near(method: str, name: str) -> bool:
    return shares_words(method, name) or letters_apart(method, name) is not None


def methods_of(files: list[str], kind: str) -> list[str]:
    """The methods that the class of that name has of its own."""
    trees = [tree for tree in map(tree_of, files) if tree is not None]
    classes = [n for tree in trees for n in tree.parents if isinstance(n, ast.ClassDef) and n.name == kind]
    return [member.name for node in classes for member in node.body if isinstance(member, ast.FunctionDef)]


def _why_not_entered(record: Record, files: list[str], tree: Tree, scope: ast.AST) -> list[tuple[SourceLine, str]]:
    found = obstacles_to_entering(files, tree, scope, record.ran())
    return _explained(record, files, found[0], _lines(found), [scope]) if found else []


def _explained(
    record: Record, files: list[str], obstacle: Obstacle, told: list[tuple[SourceLine, str]], behind: list[ast.AST]
) -> list[tuple[SourceLine, str]]:
    """The lines that are `told` of an obstacle, with what decided, the one to edit first; `behind` is what it keeps
    from running beside the statements that follow it."""
    decision = decision_at(record, obstacle)
    test = (decision.file, decision.line) if decision is not None else (obstacle.file, obstacle.line)
    branch = tree_of(obstacle.file)
    kept = [*getattr(branch.statement_at(obstacle.line), "body", ())] if branch is not None else []
    waiting = waits_for_itself(record.course, files, record.ran(), test, [*kept, *behind])
    if waiting is not None:
        role = f"`{waiting.name}` stays {waiting.value}: only what this keeps from running raises it"
        here = source_at(*test)
        others = [one for one in told if (one[0].file, one[0].line) != test]
        return [(here, role), *others, (source_at(waiting.file, waiting.line), "it would be raised here")]
    if decision is not None:
        return blamed(decision, told)
    return [*told, *behind_test(record, files, obstacle)]


def registered(files: list[str], tree: Tree, scope: FunctionNode) -> list[tuple[SourceLine, str]]:
    """Where the function is given to what should call it, and the name that was meant, where another is near."""
    found = registration_of(files, tree, scope)
    if found is None:
        return []
    told = [(source_at(found.file, found.line), found.role)]
    if found.asked is not None:
        file, line, name = found.asked
        told.append((source_at(file, line), f"`{name}` is asked for here"))
    return told


def overridden(files: list[str], tree: Tree, scope: ast.AST, ran: Ran) -> list[tuple[SourceLine, str]]:
    """The method of another class that runs in the place of the method `scope`, and does not call it."""
    owner, name = tree.parents.get(scope), getattr(scope, "name", "")
    if not isinstance(owner, ast.ClassDef):
        return []
    for found in overrides_of(files, owner.name, name):
        if was_entered(found.tree, found.method, ran):
            role = f"`{found.owner.name}.{name}` takes the place of `{owner.name}.{name}`, and does not call it"
            return [(source_at(found.tree.file, found.line), role)]
    return []


def obstacles_to_entering(files: Iterable[str], tree: Tree, scope: ast.AST, ran: Ran) -> list[Obstacle]:
    """What keeps the calls of a function from running, where none of it ran and something does."""
    name = getattr(scope, "name", "")
    if not name or was_entered(tree, scope, ran):
        return []
    for other, call in call_sites(files, name):
        found = obstacles(other, call, ran.of(other.file))
        if found:
            return found
    return []


def _receiver(node: ast.expr) -> str:
    """The last name before the attribute: `opt` of `self.opt.step`."""
    if isinstance(node, ast.Attribute):
        match node.value:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                return name
            case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name)):
                return name
    return ""
