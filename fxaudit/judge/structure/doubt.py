"""What a symbolic trace leaves open: branches where it took one side because only data could tell.

A size that nobody knows, an optional argument that was left out and a random draw each send the trace one way. Whatever
another way could change is not known, and is no finding.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fxaudit.capture.symbolic.trace import SymbolicOp, SymbolicTrace
from fxaudit.judge.questions.mentions import HOUSEKEEPING
from fxaudit.program.inputs import parts_of_inputs
from fxaudit.program.names import GIVING_THE_VALUE, names_bound
from fxaudit.program.ran import Ran
from fxaudit.program.source import SourceLine, actual_path, of_text
from fxaudit.program.tree import Obstacle, Tree, attribute_mentions, call_sites, draws_at_random, obstacles, tree_of

__all__ = ["Doubts"]

MAX_CALLERS = 3
RUNS_ONLY = "it runs only when "
DRAWN = "which of several it is depends on a random draw"
LEFT_OUT = "an argument that the trace leaves out"
WHAT_IS_GIVEN = "what is given, and another batch may hold something else"
_CONSTRUCTING = ("__init__", "__repr__", "extra_repr", "reset_parameters", "_init_weights", "init_weights")

Condition = ast.If | ast.IfExp | ast.While | ast.For


@dataclass(frozen=True, slots=True)
class _Branch:
    """A condition or loop that depends on a size, or on what is in an input, that nobody knows."""

    tree: Tree
    node: Condition
    scope: ast.AST | None

    def __str__(self) -> str:
        test = self.node.iter if isinstance(self.node, ast.For) else self.node.test
        return f"`{self.tree.text(test)}` in line {test.lineno} depends on what only data can tell"


class Doubts:
    """The questions that a trace cannot answer. Each method returns why not, "" where there is no doubt."""

    def __init__(
        self,
        methods: frozenset[tuple[str, int]],
        found: SymbolicTrace,
        hiding: Iterable[SymbolicOp],
        files: Iterable[str],
        ran: Ran,
        holders: Mapping[str, frozenset[str]],
    ) -> None:
        self.methods = methods
        self._answers: dict[str, str] = {}
        self._holders = holders
        """Class → the attributes that hold modules of that class."""
        self._attributes = frozenset().union(*holders.values())
        self._is_given = found.given
        self.files = list(files)
        self.hiding = [(tree, statement, op.target) for op in hiding for tree, _, statement in _frames([op.source])]
        self.ran = ran
        self.given = {op.target.partition(".")[0] for op in found.ops if op.kind == "input"}
        self.has_opaque_functions = any(op.kind == "opaque" for op in found.opaque)
        self.branches = [branch for line in found.assumed if (branch := _branch_at(line)) is not None]
        # What hinges on a condition is known where its other way was followed, and nothing does on a random draw.
        settled = (*found.drawn, *found.turned)
        self.settled = {branch.node for line in settled if (branch := _branch_at(line)) is not None}
        self._hinges = found.hinges

    def never_run(self, attribute: str) -> str:
        """Why code that reads the attribute, and did not run or reached something else, may still reach it."""
        if attribute not in self._answers:
            self._answers[attribute] = ""  # what leads back here adds nothing
            self._answers[attribute] = self._never_run(attribute)
        return self._answers[attribute]

    def _never_run(self, attribute: str) -> str:
        for tree, node in attribute_mentions(self.files, attribute):
            scope = tree.function(node)
            outer = tree.parents.get(node)
            if scope is None or getattr(scope, "name", "") in _CONSTRUCTING:
                continue
            if isinstance(outer, ast.Attribute) and outer.attr in HOUSEKEEPING and not _is_value(tree, outer):
                continue
            if not self._may_mean_the_model(tree, node):
                continue
            reason = self._may_run(tree, node)
            if reason:
                return reason
        return DRAWN if self._draws_a_name() else ""

    def _draws_a_name(self) -> bool:
        """Whether a function that ran draws the name of an attribute: `getattr(self, random.choice(names))`."""
        for tree, call in call_sites(self.files, "getattr"):
            scope = tree.function(call)
            is_open = len(call.args) > 1 and not isinstance(call.args[1], ast.Constant)
            if is_open and call.lineno in self.ran.of(tree.file) and scope is not None and draws_at_random(tree, scope):
                return True
        return False

    def other_way(self, places: Iterable[SourceLine | None]) -> str:
        """Why a value that ends at one of `places` may go on where a branch is taken the other way."""
        for tree, scope, statement in _frames(places):
            for branch in self.branches:
                if branch.scope is not scope or branch.tree.file != tree.file or isinstance(branch.node, ast.For):
                    continue
                if statement is not None and _contains(branch.node, statement):
                    return str(branch)
                if not all(_is_harmless(part) for part in self._untaken(branch)):
                    return str(branch)
        return ""

    def used_elsewhere(self, places: Iterable[SourceLine | None]) -> str:
        """Why a value that is bound to a name at one of `places`, and used no further, may be used after all: by code
        further down in the function that did not run."""
        for tree, scope, statement in _frames(places):
            if scope is None or not isinstance(statement, ast.Assign | ast.AnnAssign):
                continue
            bound, ran = names_bound(statement), self.ran.of(tree.file)
            for node in ast.walk(scope):
                if not isinstance(node, ast.Name) or node.id not in bound or not isinstance(node.ctx, ast.Load):
                    continue
                if node.lineno > statement.lineno and node.lineno not in ran and obstacles(tree, node, ran):
                    reason = self._may_run(tree, node)
                    if reason:
                        return reason
        return ""

    def only_inside(self, places: Sequence[SourceLine | None], name: str = "") -> str:
        """Why code that ran only because a branch was taken for granted may not run: `places` all lie inside it.

        What a random draw decides, as in a layer drop, runs in one step or another; and what both sides of a branch
        use, a part of the dotted `name`, is used whichever way it goes.
        """
        parts = set(name.split("."))
        for branch in self.branches:
            if isinstance(branch.node, ast.For | ast.While) or branch.node in self.settled:
                continue
            if places and all(self._lies_in(place, branch) for place in places):
                taken = {part for place in places for part in self._used_in(place, branch) if part in parts}
                if not taken or not taken <= {part for side in self._untaken(branch) for part in _attributes(side)}:
                    return str(branch)
        return ""

    def hinge(self, slot: str) -> str:
        """Why gradient that comes to the parameter in the slot may not come: a condition was taken to be true."""
        line = self._hinges.get(slot)
        branch = _branch_at(line) if line is not None else None
        return str(branch) if branch is not None else ""

    # -- how they are answered -----------------------------------------------------------------------------------

    def _may_mean_the_model(self, tree: Tree, node: ast.AST) -> bool:
        """Whether `node` is more than the `self.name` of a class that has no part in the model."""
        inner = getattr(node, "value", None) or next(iter(getattr(node, "args", [])), None)
        method = _method_around(tree, node)
        if method is None or not isinstance(inner, ast.Name) or inner.id != _receiver(method):
            return True
        first = min(each.lineno for each in (method, *method.decorator_list))
        return (tree.file, first) in self.methods

    def _lies_in(self, place: SourceLine | None, branch: _Branch) -> bool:
        return any(
            tree.file == branch.tree.file and statement is not None and _contains(branch.node, statement)
            for tree, _, statement in _frames([place])
        )

    def _used_in(self, place: SourceLine | None, branch: _Branch) -> Iterator[str]:
        """The attributes that the statement names by which `place` lies in the branch."""
        for tree, _, statement in _frames([place]):
            if tree.file == branch.tree.file and statement is not None and _contains(branch.node, statement):
                yield from _attributes(statement)

    def _untaken(self, branch: _Branch) -> list[ast.AST]:
        """The statements of the sides on which nothing ran."""
        node = branch.node
        if isinstance(node, ast.IfExp):
            return [node.body, node.orelse]
        ran = self.ran.of(branch.tree.file)
        sides = [side for side in (node.body, node.orelse) if not any(_ran(statement, ran) for statement in side)]
        return [statement for side in sides for statement in side]

    def _may_run(self, tree: Tree, node: ast.AST, callers: tuple[str, ...] = ()) -> str:
        """Why `node` may run, which did not; `callers` are the functions by which it is asked about already."""
        ran = self.ran.of(tree.file)
        scope = tree.function(node)
        found = obstacles(tree, node, ran)
        if found:
            reasons = [self._doubt(tree, obstacle, scope) for obstacle in found]
            telling = [reason for reason in reasons if reason.startswith(RUNS_ONLY)]
            return (telling or reasons)[0] if all(reasons) else ""
        if scope is None:
            return ""
        body = scope.body if isinstance(scope.body, list) else [scope.body]
        if any(_ran(statement, ran) for statement in body):
            for other, statement, target in self.hiding:
                if other is tree and statement is not None and statement is tree.statement(node):
                    return f"`{target}` gets it, and what that does cannot be followed"
            open_here = [branch for branch in self.branches if branch.scope is scope]
            if open_here:
                return str(open_here[0])
            return DRAWN if draws_at_random(tree, scope) else ""
        name = getattr(scope, "name", "lambda")
        if name in callers:
            return ""  # who calls that is being asked
        if len(callers) < MAX_CALLERS:
            calls = call_sites(self.files, name)
            sites = [(other, call) for other, call in calls if self._may_mean_the_model(other, call.func)]
            if name == "forward":
                sites = [(other, call) for other, call in sites if self._may_be_a_part(call.func)]
            for other, call in sites:
                reason = self._may_run(other, call, (*callers, name))
                if reason:
                    return reason
            if sites:
                return "code that could not be followed may use it" if self.has_opaque_functions else ""
        if name == "forward" and (held := self._held_as(tree, scope)):
            return next(filter(None, map(self.never_run, sorted(held))), "")
        return f"`{name}` uses it, which no forward calls; only a run of the loop can tell whether anybody does"

    def _open_where_given(self, condition: str, arguments: set[str]) -> set[str]:
        """Those of the arguments that another call of the same form may decide otherwise.

        Whether an argument is there, and a flag, is the same in each call. What a given one holds is not, nor how
        large it is.
        """
        test = _parsed(condition)
        if test is None:
            return arguments
        settled = {id(node) for node in _flags(test)}
        asked = [node for node in ast.walk(test) if isinstance(node, ast.Name) and node.id in arguments]
        return {
            node.id
            for node in asked
            if id(node) not in settled and (node.id in self.given or not _is_content(test, node))
        }

    def _may_be_a_part(self, function: ast.expr) -> bool:
        """Whether the call of `receiver.forward` may be that of a module in the model, by the name of the receiver."""
        receiver = getattr(function, "value", None)
        return not isinstance(receiver, ast.Attribute) or receiver.attr in self._attributes

    def _held_as(self, tree: Tree, scope: ast.AST) -> frozenset[str]:
        """The attributes that hold modules of the class to which the method belongs."""
        outer = tree.parents.get(scope)
        return self._holders.get(outer.name, frozenset()) if isinstance(outer, ast.ClassDef) else frozenset()

    def _doubt(self, tree: Tree, obstacle: Obstacle, scope: ast.AST | None) -> str:
        for branch in self.branches:
            if branch.tree.file == obstacle.file and branch.node.lineno == obstacle.line:
                return str(branch)
        names = _names(obstacle.condition)
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            arguments = scope.args
            given = {each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
            method = _method_around(tree, scope)
            given -= {_receiver(method) if method is not None else ""}
            left_out = names & given
            if self._is_given:
                left_out = self._open_where_given(obstacle.condition, left_out)
            if left_out:
                wanted = [name for name in _wanted_arguments(obstacle) if name not in self.given]
                if wanted and set(wanted) <= left_out:
                    told = " and ".join(f"`{name}`" for name in wanted)
                    return f"{RUNS_ONLY}{told} {'is' if len(wanted) == 1 else 'are'} given"
                return f"`{obstacle.condition}` depends on {WHAT_IS_GIVEN if self._is_given else LEFT_OUT}"
            parts = parts_of_inputs(scope, given)
            if names & parts:
                return f"`{obstacle.condition}` depends on what an input holds"
            if obstacle.has_no_round and _names_gone_through(scope, obstacle.line) & (parts | given):
                return f"how often the loop in line {obstacle.line} goes round depends on what an input holds"
        if obstacle.random:
            return f"`{obstacle.condition}` depends on a random draw"
        return ""


def _is_value(tree: Tree, node: ast.Attribute) -> bool:
    """Whether the expression is computed with, as in `x + self.embedding.to(dtype)`, and is no statement of its own."""
    return node.attr in GIVING_THE_VALUE and not isinstance(tree.statement(node), ast.Expr)


def _method_around(tree: Tree, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The method that holds `node`, or is it."""
    for outer in (node, *tree.ancestors(node)):
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef) and isinstance(
            tree.parents.get(outer), ast.ClassDef
        ):
            return outer
    return None


def _receiver(method: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """What the method calls its object: `self`."""
    first = next(iter((*method.args.posonlyargs, *method.args.args)), None)
    return first.arg if first is not None else ""


def _branch_at(line: SourceLine) -> _Branch | None:
    """The condition or loop that stands on the line; None where it only guards a `raise`, or none is to be found."""
    tree = tree_of(actual_path(line.file))
    if tree is None:
        return None
    for node in _conditions(tree.file):
        test = node.iter if isinstance(node, ast.For) else node.test
        if test.lineno <= line.line <= (test.end_lineno or test.lineno):
            if isinstance(node, ast.If) and not node.orelse and all(isinstance(s, ast.Raise) for s in node.body):
                return None
            return _Branch(tree, node, tree.function(node))
    return None


@of_text
def _conditions(file: str) -> tuple[Condition, ...]:
    """The conditions and loops of a file, inner ones first."""
    tree = tree_of(file)
    found = [node for node in tree.nodes if isinstance(node, Condition)] if tree is not None else []
    return tuple(reversed(found))


def _frames(places: Iterable[SourceLine | None]) -> Iterator[tuple[Tree, ast.AST | None, ast.stmt | None]]:
    """The file, function and statement of each place and of the frames above it."""
    for place in places:
        if place is None:
            continue
        for file, line in ((place.file, place.line), *((frame.file, frame.line) for frame in place.frames)):
            tree = tree_of(actual_path(file))
            if tree is not None:
                statement = tree.statement_at(line)
                yield tree, tree.function(statement) if statement is not None else None, statement


def _contains(outer: ast.AST, inner: ast.AST) -> bool:
    """Whether `inner` stands in the body of `outer`, its condition left out."""
    first, last = getattr(inner, "lineno", 0), getattr(outer, "end_lineno", 0) or 0
    return outer is not inner and getattr(outer, "lineno", 0) < first <= last


def _attributes(part: ast.AST) -> Iterator[str]:
    return (node.attr for node in ast.walk(part) if isinstance(node, ast.Attribute))


def _ran(statement: ast.AST, lines: set[int]) -> bool:
    first = getattr(statement, "lineno", 0)
    last = getattr(statement, "end_lineno", first) or first
    return any(first <= line <= last for line in lines)


def _is_harmless(part: ast.AST) -> bool:
    """Whether code only changes its own variables, as `x = x.unsqueeze(0)`: it leads no other value around a cut."""
    if isinstance(part, ast.Raise | ast.Pass):
        return True
    own: set[str] = set()
    read: set[str] = set()
    called: set[str] = set()
    for node in ast.walk(part):
        if isinstance(node, ast.Return | ast.Yield | ast.Continue | ast.Break):
            return False
        if isinstance(node, ast.Name):
            (own if isinstance(node.ctx, ast.Store) else read).add(node.id)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called.add(node.func.id)
    return read - own - {"torch", "F", "nn", "math"} - called == set()


def _names_gone_through(scope: ast.AST, line: int) -> set[str]:
    """The names in what the loop on `line` goes through."""
    loops = (node for node in ast.walk(scope) if isinstance(node, ast.For) and node.lineno == line)
    return {node.id for loop in loops for node in ast.walk(loop.iter) if isinstance(node, ast.Name)}


def _wanted_arguments(obstacle: Obstacle) -> list[str]:
    """The names that have to be given for the code behind the obstacle to run, as `labels` in `labels is not None`."""
    test = _parsed(obstacle.condition)
    parts = test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else [test]
    names = []
    for part in parts:
        match part:
            case ast.Compare(left=ast.Name(id=name), ops=[ast.IsNot()], comparators=[ast.Constant(value=None)]):
                names.append(name)
            case ast.Name(id=name):
                names.append(name)
            case _:
                return []
    return names if obstacle.gave is False else []


def _flags(test: ast.expr) -> Iterator[ast.expr]:
    """The operands of a condition that are only asked whether they are there, true, or equal to a constant."""
    match test:
        case ast.BoolOp(values=parts):
            for part in parts:
                yield from _flags(part)
        case ast.UnaryOp(op=ast.Not(), operand=part):
            yield from _flags(part)
        case ast.Compare(
            left=part, ops=[ast.Is() | ast.IsNot() | ast.Eq() | ast.NotEq()], comparators=[ast.Constant()]
        ):
            yield part
        case ast.Name():
            yield test


def _is_content(test: ast.expr, name: ast.Name) -> bool:
    """Whether the condition asks for a key or the type of what bears the name, and not for its size."""
    for node in ast.walk(test):
        match node:
            case ast.Call(func=ast.Attribute(value=inner, attr="get")) | ast.Subscript(value=inner) if inner is name:
                return True
            case ast.Call(func=ast.Name(id="isinstance"), args=[inner, *_]) if inner is name:
                return True
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[inner]) if inner is name:
                return True
    return False


def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError:
        return None


def _names(text: str) -> set[str]:
    parsed = _parsed(text)
    if parsed is None:
        return set()
    return {node.id for node in ast.walk(parsed) if isinstance(node, ast.Name)}
