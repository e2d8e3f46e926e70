"""Questions about the text of the user's program: which statement stands on a line, what keeps a call from running.

Recording says what ran. What did *not* run is only in the source: this module lists call sites, branches and bindings.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from fxaudit.program.ran import RanLines
from fxaudit.program.source import of_text, read_source

__all__ = [
    "NOT_UNPACKED",
    "RANDOM_FUNCTIONS",
    "UNCERTAIN",
    "NextRound",
    "Obstacle",
    "Rebound",
    "Tree",
    "are_alternatives",
    "assignments_behind",
    "attribute_mentions",
    "binding_of",
    "branch_ran",
    "branches_around",
    "call_sites",
    "construction_of",
    "constructions_of",
    "decides",
    "draws_at_random",
    "drops_call",
    "is_further_argument",
    "is_made_of_literals",
    "is_only_one",
    "is_only_returned",
    "is_zero",
    "jumps_before",
    "last_of_chain",
    "made_lazily",
    "obstacles",
    "rebinding_of",
    "rebound_by_the_next_round",
    "sliced_statements",
    "tests_leading_to",
    "tree_of",
    "unpacking",
]

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Branch = ast.If | ast.While | ast.For | ast.IfExp | ast.Try | ast.With | ast.Match


@dataclass(frozen=True)
class Tree:
    """A parsed file with the parent of every syntax node."""

    file: str
    root: ast.Module
    parents: dict[ast.AST, ast.AST]
    statements: tuple[ast.stmt, ...]
    """Every statement, outer ones before what they hold."""
    nodes: tuple[ast.AST, ...]
    """Every node, as `ast.walk` gives them."""

    @functools.cached_property
    def calls(self) -> tuple[ast.Call, ...]:
        """The calls among the nodes."""
        return tuple(node for node in self.nodes if isinstance(node, ast.Call))

    def loops_at(self, line: int) -> set[int]:
        """The first lines of the loops around the statement at a line."""
        statement = self.statement_at(line)
        outer = self.ancestors(statement) if statement is not None else ()
        return {loop.lineno for loop in outer if isinstance(loop, ast.For | ast.While)}

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around `node`, innermost first."""
        found = self.parents.get(node)
        while found is not None:
            yield found
            found = self.parents.get(found)

    def statement(self, node: ast.AST) -> ast.stmt | None:
        """The innermost statement that holds `node`."""
        if isinstance(node, ast.stmt):
            return node
        return next((n for n in self.ancestors(node) if isinstance(n, ast.stmt)), None)

    def function(self, node: ast.AST) -> FunctionNode | None:
        """The innermost function around `node`."""
        return next(
            (n for n in self.ancestors(node) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)),
            None,
        )

    def statement_at(self, line: int, column: int = -1) -> ast.stmt | None:
        """The innermost statement that covers `line`; of compound statements only the header counts.

        `column`, in bytes of UTF-8, tells several statements on one line apart; -1 takes the last of them.
        """
        best: ast.stmt | None = None
        for node in self.statements:
            if not node.lineno <= line <= (node.end_lineno or node.lineno):
                continue
            if column >= 0 and not _covers_column(node, line, column):
                continue
            if best is None or (node.lineno, -(node.end_lineno or 0)) >= (best.lineno, -(best.end_lineno or 0)):
                best = node
        return best

    def text(self, node: ast.AST) -> str:
        """The source of `node`, on one line."""
        return " ".join(ast.unparse(node).split())


def _covers_column(node: ast.stmt, line: int, column: int) -> bool:
    begins_before = node.lineno < line or node.col_offset <= column
    ends_behind = (node.end_lineno or line) > line or column < (node.end_col_offset or column + 1)
    return begins_before and ends_behind


@of_text
def tree_of(file: str) -> Tree | None:
    """The parsed `file`, or None where it cannot be read or parsed."""
    lines = read_source(file)
    if not lines:
        return None
    try:
        root = ast.parse("\n".join(lines) + "\n")
    except (SyntaxError, ValueError, RecursionError):
        return None
    parents: dict[ast.AST, ast.AST] = {}
    nodes = tuple(ast.walk(root))
    for node in nodes:
        for child in ast.iter_child_nodes(node):
            parents[child] = node
    return Tree(file, root, parents, tuple(node for node in nodes if isinstance(node, ast.stmt)), nodes)


JUMPS = (ast.Return, ast.Continue, ast.Break, ast.Raise)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A statement that keeps a line from running: its line, and what it is in words."""

    file: str
    line: int
    role: str
    condition: str = ""
    random: bool = False
    """Whether the condition draws a random number: another step may go the other way."""
    jump: int = 0
    """The line of the `return`, `continue` or `break` behind the condition."""
    gave: bool | None = None
    """What the test of a branch always gave; None where it is no branch."""
    has_no_round: bool = False
    """Whether it is a loop that never went round."""


RANDOM_FUNCTIONS = frozenset(
    """bernoulli binomial choice choices gauss integers multinomial normal permutation rand randint randn random
    randperm randrange sample shuffle uniform""".split()
)


def call_sites(files: Iterable[str], attribute: str) -> list[tuple[Tree, ast.Call]]:
    """Every call of a method or function named `attribute` in `files`, in reading order."""
    found = []
    for file in files:
        tree = tree_of(file)
        if tree is None:
            continue
        for node in tree.calls:
            if _called_name(node) == attribute:
                found.append((tree, node))
    return sorted(found, key=lambda pair: (pair[0].file, pair[1].lineno))


def uncalled_mentions(files: Iterable[str], attribute: str) -> list[tuple[Tree, ast.Expr]]:
    """Statements that only name `something.attribute` without calling it, such as `optimizer.step`."""
    found = []
    for file in files:
        tree = tree_of(file)
        if tree is None:
            continue
        for node in tree.nodes:
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Attribute) and node.value.attr == attribute:
                found.append((tree, node))
    return found


def attribute_mentions(files: Iterable[str], attribute: str) -> list[tuple[Tree, ast.AST]]:
    """Where `.attribute` or `["attribute"]` or `getattr(x, "attribute")` is read in `files`; also by a name that
    is put together, as in `getattr(x, f"attribute{i}")`."""
    found: list[tuple[Tree, ast.AST]] = []
    for file in files:
        tree = tree_of(file)
        if tree is None:
            continue
        for node in tree.nodes:
            match node:
                case ast.Attribute(attr=name, ctx=ast.Load()) if name == attribute:
                    found.append((tree, node))
                case ast.Subscript(slice=ast.Constant(value=str() as name), ctx=ast.Load()) if name == attribute:
                    found.append((tree, node))
                case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=str() as name), *_]) if (
                    name == attribute
                ):
                    found.append((tree, node))
                case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.JoinedStr(values=parts), *_]) if _spells(
                    parts, attribute
                ):
                    found.append((tree, node))
    return sorted(found, key=lambda pair: (pair[0].file, getattr(pair[1], "lineno", 0)))


def _spells(parts: list[ast.expr], attribute: str) -> bool:
    """Whether the parts of an f-string, of which one at least is written down, can give the name."""
    texts = [str(part.value) if isinstance(part, ast.Constant) else "" for part in parts]
    pattern = "".join(re.escape(text) or r"\w+" for text in texts)
    return any(texts) and re.fullmatch(pattern, attribute) is not None


def _called_name(node: ast.Call) -> str:
    match node.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def _line_ran(tree: Tree, node: ast.AST, ran: RanLines) -> bool:
    first = getattr(node, "lineno", 0)
    last = getattr(node, "end_lineno", first) or first
    return any(first <= line <= last for line in ran)


def _body_ran(body: list[ast.stmt], ran: RanLines) -> bool:
    return any(
        statement.lineno <= line <= (statement.end_lineno or statement.lineno) for statement in body for line in ran
    )


def obstacles(tree: Tree, node: ast.AST, ran: RanLines) -> list[Obstacle]:
    """What keeps `node` from running, the decisive statement first, given the lines that are known to have run.

    Looks outwards through the branches around the node: a branch in which nothing ran is an obstacle, and so is a
    `return`, `continue`, `break` or `raise` before the node in a block of which something ran. A function that never
    ran is an obstacle by its call sites, which the caller looks for.
    """
    found: list[Obstacle] = []
    inner: ast.AST = node
    for outer in tree.ancestors(node):
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            jump = _jump_before(tree, outer, inner, ran)
            if jump is not None:
                found.append(jump)
            break
        match outer:
            case ast.If(test=test, body=body, orelse=orelse):
                if inner is test:
                    pass
                else:
                    branch = body if inner in body else orelse
                    if not _body_ran(branch, ran):
                        found.append(_branch(tree, outer.lineno, test, inner not in body))
            case ast.IfExp(test=test, body=body_expression):
                if inner is not test:
                    found.append(_branch(tree, test.lineno, test, inner is not body_expression))
            case ast.BoolOp(values=values):
                position = values.index(inner) if inner in values else 0
                if position > 0:
                    text = tree.text(values[position - 1])
                    found.append(Obstacle(tree.file, outer.lineno, f"`{text}` decides first", text))
            case ast.While(test=test, body=body) | ast.For(iter=test, body=body):
                if inner in body and not _body_ran(body, ran):
                    role = f"the loop over `{tree.text(test)}` has no round"
                    found.append(Obstacle(tree.file, outer.lineno, role, has_no_round=True))
            case ast.Try(body=body, handlers=[handler, *_]) if inner in body:
                position = body.index(inner)
                before = [i for i, s in enumerate(body[:position]) if _body_ran([s], ran)]
                if before and not _body_ran([body[position]], ran):
                    raising = body[before[-1] + 1] if before[-1] + 1 < position else body[before[-1]]
                    found.append(Obstacle(tree.file, handler.lineno, "swallows what is raised before the call"))
                    found.append(Obstacle(tree.file, raising.lineno, "an exception is raised here"))
            case ast.ExceptHandler():
                found.append(Obstacle(tree.file, outer.lineno, "no such exception is raised"))
            case ast.match_case(pattern=pattern):
                if not _body_ran(outer.body, ran):
                    found.append(Obstacle(tree.file, pattern.lineno, "the case never matches"))
        if isinstance(outer, ast.stmt | ast.Module | ast.ExceptHandler):
            jump = _jump_before(tree, outer, inner, ran)
            if jump is not None:
                found.append(jump)
        inner = outer
    # The outermost obstacle decides: what stands inside it had no chance. A jump before a test that ran was passed.
    outermost = found[::-1]
    while len(outermost) > 1 and outermost[0].jump and outermost[1].condition and outermost[1].line in ran:
        outermost = outermost[1:]
    return outermost


def _branch(tree: Tree, line: int, test: ast.expr, gave: bool) -> Obstacle:
    """A branch that is not taken, because its test always gives the same."""
    text = tree.text(test)
    role = f"`{text}` is {'always' if gave else 'never'} true"
    return Obstacle(tree.file, line, role, text, draws_at_random(tree, test), gave=gave)


def _jump_before(tree: Tree, block: ast.AST, inner: ast.AST, ran: RanLines) -> Obstacle | None:
    """A statement in the same block before `inner` that leaves the block, if there is one: the last that ran, else the
    last that may have."""
    found = [*_jumps_before(tree, block, inner, ran)]
    return next((jump for jump in found if (jump.jump or jump.line) in ran), found[0] if found else None)


def _jumps_before(tree: Tree, block: ast.AST, inner: ast.AST, ran: RanLines) -> Iterator[Obstacle]:
    """Each of them, the last one first."""
    for name in ("body", "orelse", "finalbody"):
        statements = getattr(block, name, None)
        if not isinstance(statements, list) or inner not in statements:
            continue
        position = statements.index(inner)
        for number in reversed(range(position)):
            statement = statements[number]
            if isinstance(statement, JUMPS) and not ran.certainly_not(statement.lineno):
                word = type(statement).__name__.lower()
                yield Obstacle(tree.file, statement.lineno, f"the `{word}` comes first")
            if isinstance(statement, ast.If):
                ends = next((s for s in statement.body if isinstance(s, JUMPS)), None)
                if isinstance(ends, ast.Raise) and (ran.nothing_raised or _body_ran(statements[number + 1 :], ran)):
                    continue  # the check was passed
                if ends is not None and not ran.certainly_not(ends.lineno):
                    text = tree.text(statement.test)
                    word = type(ends).__name__.lower()
                    role = f"`{text}` is always true, and then `{word}`"
                    random = draws_at_random(tree, statement.test)
                    yield Obstacle(tree.file, statement.lineno, role, text, random, ends.lineno, gave=True)


@dataclass(frozen=True, slots=True)
class Binding:
    """What a statement does with the value of the call on its line."""

    kind: str
    """assigned, returned, discarded, used."""
    names: tuple[str, ...] = ()


def binding_of(file: str, line: int, column: int = -1) -> Binding:
    """Whether the statement at `line` (and `column`, of several) assigns, returns or discards its value."""
    tree = tree_of(file)
    statement = (tree.statement_at(line, column) or tree.statement_at(line)) if tree else None
    match statement:
        case ast.Assign(targets=targets):
            return Binding("assigned", tuple(name for target in targets for name in _target_names(target)))
        case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
            return Binding("assigned", tuple(_target_names(target)))
        case ast.Return():
            return Binding("returned")
        case ast.Expr(value=ast.Call() | ast.Await()):
            return Binding("discarded")
    return Binding("used")


def is_further_argument(file: str, line: int, column: int) -> bool:
    """Whether the call at `line` and `column` is an argument of another call, and not its first: what the statement
    binds is something else then. The first may be what the other call wraps."""
    tree = tree_of(file)
    statement = tree.statement_at(line, column) if tree and column >= 0 else None
    if tree is None or statement is None:
        return False
    for node in ast.walk(statement):
        if isinstance(node, ast.Call) and (node.lineno, node.col_offset) == (line, column):
            outer = tree.parents.get(node)
            if isinstance(outer, ast.keyword) or (isinstance(outer, ast.Call) and node in outer.args[1:]):
                return True
    return False


def is_made_of_literals(file: str, line: int, column: int) -> bool:
    """Whether the call at `line` and `column` gets nothing but what is written down there."""
    tree = tree_of(file)
    statement = (tree.statement_at(line, column) or tree.statement_at(line)) if tree else None
    calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call)] if statement is not None else []
    here = [call for call in calls if (call.lineno, call.col_offset) == (line, column)] or calls[:1]
    values = (part for call in here for argument in call.args for part in ast.walk(argument))
    return all(not isinstance(part, ast.Name | ast.Attribute | ast.Call) for part in values)


NOT_UNPACKED = -1
UNCERTAIN = -2


def unpacking(file: str, line: int, column: int) -> tuple[tuple[str, ...], int]:
    """How the statement at `line` packs and unpacks: (its targets, "" for a nested one; the place of what stands at
    `column` among its values). No targets: it unpacks nothing. `NOT_UNPACKED`: it packs nothing; `UNCERTAIN`: no column
    tells (-1, on Python 3.10)."""
    tree = tree_of(file)
    statement = (tree.statement_at(line, column) or tree.statement_at(line)) if tree else None
    parts: tuple[str, ...] = ()
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple | ast.List):
        elements = statement.targets[0].elts
        if not any(isinstance(part, ast.Starred) for part in elements):
            parts = tuple("" if isinstance(part, ast.Tuple | ast.List) else ast.unparse(part) for part in elements)
    value = statement.value if isinstance(statement, ast.Assign | ast.Return) else None
    if not isinstance(value, ast.Tuple):
        return parts, NOT_UNPACKED
    covering = [
        number
        for number, element in enumerate(value.elts)
        if (element.lineno, element.col_offset) <= (line, column if column >= 0 else element.col_offset)
        and (line, max(column, 0)) < (element.end_lineno or line, element.end_col_offset or 0)
    ]
    return parts, covering[0] if len(covering) == 1 else UNCERTAIN


def decides(file: str, line: int) -> bool:
    """Whether `line` is the head of an `if` or `while`, or an `assert`: its value decides what runs, and no more."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree else None
    if not isinstance(statement, ast.If | ast.While | ast.Assert):
        return False
    return statement.lineno <= line <= (statement.test.end_lineno or statement.test.lineno)


@dataclass(frozen=True, slots=True)
class Rebound:
    """A statement that gives a name another value."""

    line: int
    last: int
    reads_old: bool
    """Whether it mentions the old value, be it for the shape."""
    name: str = ""


def rebinding_of(file: str, line: int, ran: RanLines) -> Rebound | None:
    """The statement of the same function that gives a name assigned at `line` another value before anybody read it.

    None where there is no such statement among the lines that ran.
    """
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree else None
    if tree is None or statement is None:
        return None
    for name in binding_of(file, line).names:
        own = _mentions_after(tree, statement, name)
        first = next((node for node in own if isinstance(node.ctx, ast.Store)), None)
        again = tree.statement(first) if first is not None else None
        if not isinstance(again, ast.Assign) or are_alternatives(tree, statement, again):
            continue
        reads = [node for node in own if isinstance(node.ctx, ast.Load) and node.lineno < again.lineno]
        within = [node for node in ast.walk(again.value) if isinstance(node, ast.Name) and node.id == name]
        if not reads and _line_ran(tree, again, ran):
            return Rebound(again.lineno, again.end_lineno or again.lineno, bool(within), name)
    return None


@dataclass(frozen=True)
class NextRound:
    """A name to which each round of a loop gives another value, though only what stands behind the loop reads it."""

    name: str
    is_known_before: bool
    """Whether the name has a value before the loop, to which the others could be added."""
    gathered: int
    """The line right behind the loop that adds it to something, or puts it into a list; 0 where none does."""


def rebound_by_the_next_round(file: str, line: int) -> NextRound | None:
    """What the statement at `line` does to a name in a loop, if each round gives it another value unread."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree else None
    if tree is None or not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return None
    loop = next((n for n in tree.ancestors(statement) if isinstance(n, ast.For | ast.While | FunctionNode)), None)
    target = statement.targets[0]
    if not isinstance(loop, ast.For | ast.While) or not isinstance(target, ast.Name):
        return None
    scope = tree.function(statement) or tree.root
    own = [n for n in ast.walk(scope) if isinstance(n, ast.Name) and n.id == target.id]
    read = [n for n in own if isinstance(n.ctx, ast.Load)]
    last = loop.end_lineno or loop.lineno
    if not any(n.lineno > last for n in read) or any(loop.lineno <= n.lineno <= last for n in read):
        return None
    is_known = any(n.lineno < loop.lineno for n in own if isinstance(n.ctx, ast.Store))
    behind = next((s for s in ast.iter_child_nodes(tree.parents[loop]) if getattr(s, "lineno", 0) > last), None)
    gathers = isinstance(behind, ast.stmt) and any(n in read for n in ast.walk(behind)) and _gathers(behind)
    return NextRound(target.id, is_known, behind.lineno if gathers and isinstance(behind, ast.stmt) else 0)


def _gathers(statement: ast.stmt) -> bool:
    match statement:
        case ast.AugAssign() | ast.Expr(value=ast.Call(func=ast.Attribute(attr="append" | "extend"))):
            return True
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(value))
    return False


def jumps_before(outer: ast.AST, inner: ast.AST) -> list[ast.If]:
    """The tests before a statement of the block that would have jumped away from it, the nearest first."""
    body = getattr(outer, "body", [])
    if not isinstance(body, list) or inner not in body:
        return []
    before = body[: body.index(inner)]
    jumps = [s for s in before if isinstance(s, ast.If) and isinstance(s.body[-1], ast.Return | ast.Continue)]
    return jumps[::-1]


def tests_leading_to(tree: Tree, statement: ast.stmt) -> Iterator[tuple[int, ast.expr, bool]]:
    """(line, test, what it gives where the statement is come to) of the branches around a statement, and of those
    before it that would have jumped away, in its own function; the nearest first."""
    inner: ast.AST = statement
    for outer in tree.ancestors(statement):
        yield from ((jump.lineno, jump.test, False) for jump in jumps_before(outer, inner))
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return
        if isinstance(outer, ast.If) and inner is not outer.test:
            yield outer.lineno, outer.test, inner in outer.body
        inner = outer


def is_only_returned(file: str, line: int) -> bool:
    """Whether what the statement at `line` does with its value is to return it, at once or under a name."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree else None
    if tree is None or statement is None:
        return False
    if isinstance(statement, ast.Return):
        return True
    own = [node for name in binding_of(file, line).names for node in _mentions_after(tree, statement, name)]
    return bool(own) and all(isinstance(tree.parents[node], ast.Return) for node in own)


def returned_as(file: str, line: int) -> frozenset[int]:
    """The positions in the tuple, returned by the function, at which alone the names bound at `line` stand."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree else None
    if tree is None or statement is None:
        return frozenset()
    found: set[int] = set()
    for name in binding_of(file, line).names:
        for node in _mentions_after(tree, statement, name):
            whole = tree.parents[node]
            if not isinstance(whole, ast.Tuple) or not isinstance(tree.parents.get(whole), ast.Return):
                return frozenset()
            found.add(whole.elts.index(node))
    return frozenset(found)


def position_bound(file: str, line: int, name: str) -> int:
    """The position of a name in the tuple to which the statement at `line` unpacks a value; -1 where it is in none."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree else None
    match statement:
        case ast.Assign(targets=[ast.Tuple(elts=parts)]):
            return next((at for at, part in enumerate(parts) if isinstance(part, ast.Name) and part.id == name), -1)
    return -1


def _mentions_after(tree: Tree, statement: ast.stmt, name: str) -> list[ast.Name]:
    """Where the function of `statement` mentions `name` after it, in reading order."""
    scope = tree.function(statement) or tree.root
    after = (statement.end_lineno or statement.lineno, statement.end_col_offset or 0)
    found = [
        node
        for node in ast.walk(scope)
        if isinstance(node, ast.Name) and node.id == name and (node.lineno, node.col_offset) >= after
    ]
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))


def are_alternatives(tree: Tree, one: ast.stmt, other: ast.stmt) -> bool:
    """Whether the two stand in different branches of one `if`."""
    around: list[ast.AST] = [one, *tree.ancestors(one)]
    inner: ast.AST = other
    for outer in tree.ancestors(other):
        if isinstance(outer, ast.If) and outer in around and inner not in around:
            own = next((part for part in around if part in outer.body or part in outer.orelse), None)
            return own is not None and (own in outer.body) is not (inner in outer.body)
        inner = outer
    return False


def stands_alone(file: str, line: int) -> int:
    """The line of a later statement that begins with a sign, `+ 0.5 * loss`, and reads a name bound at `line`: it was
    to go on the line before. 0 where there is none."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree else None
    for name in binding_of(file, line).names if tree is not None and statement is not None else ():
        for node in _mentions_after(tree, statement, name):  # type: ignore[arg-type]
            reader = tree.statement(node) if tree is not None else None
            first = reader.value if isinstance(reader, ast.Expr) else None
            while isinstance(first, ast.BinOp):
                first = first.left
            if isinstance(first, ast.UnaryOp) and isinstance(first.op, ast.UAdd | ast.USub) and reader is not None:
                return reader.lineno
    return 0


def drops_call(file: str, line: int, name: str) -> bool:
    """Whether the statement at `line` is nothing but a call of `name`, or of a module, whose result is dropped."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree else None
    if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)):
        return False
    called = _called_name(statement.value)
    function = statement.value.func
    return called in (name, "apply") or (isinstance(function, ast.Attribute) and _is_self(function))


def _is_self(node: ast.Attribute) -> bool:
    inner: ast.expr = node
    while isinstance(inner, ast.Attribute):
        inner = inner.value
    return isinstance(inner, ast.Name) and inner.id == "self"


def draws_at_random(tree: Tree, expression: ast.AST) -> bool:
    """Whether an expression calls a random function, itself or through a name that its function assigns."""
    names = {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}
    scope = tree.function(expression)
    sources = [expression]
    for node in ast.walk(scope) if scope is not None and scope is not expression else ():
        match node:
            case ast.Assign(targets=targets, value=value):
                if names & {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}:
                    sources.append(value)
            case ast.NamedExpr(target=ast.Name(id=name), value=value) if name in names:
                sources.append(value)
    calls = (node for source in sources for node in ast.walk(source) if isinstance(node, ast.Call))
    return any(_called_name(call).strip("_") in RANDOM_FUNCTIONS for call in calls)


def _target_names(target: ast.expr) -> list[str]:
    match target:
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return [name for part in parts for name in _target_names(part)]
        case ast.Starred(value=value):
            return _target_names(value)
    return [ast.unparse(target)]


def sliced_statements(file: str, line: int, limit: int = 12, files: Sequence[str] = ()) -> list[tuple[str, int, str]]:
    """The statements that decide what the call at `line` gets as its first argument, nearest first.

    Follows names backwards through assignments in the same function and into functions that the argument calls: those
    of the same file, or else the one function of that name in `files`. Each entry is (file, line, kind) with kind
    `filter` where the statement leaves something out, `branch` for the test of an `if` around one, `rebound` where it
    assigns in a loop what an earlier round had assigned, and `assigned` otherwise.
    """
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree else None
    if tree is None or statement is None:
        return []
    found: list[tuple[str, int, str]] = []
    seen: set[ast.AST] = set()
    given = [n for n in ast.walk(statement) if isinstance(n, ast.Call) and _covers(n, line)]
    calls = [n for n in given if n.args or any(keyword.arg == "params" for keyword in n.keywords)]
    constructor = next((n for n in calls if _called_name(n)[:1].isupper()), calls[0] if calls else None)
    queue: list[tuple[Tree, ast.AST]] = [(tree, part) for part in constructor.args[:1]] if constructor else []
    if constructor is not None and not queue:
        queue = [(tree, k.value) for k in constructor.keywords if k.arg == "params"]
    if constructor is not None and queue and _filters(queue[0][1]):
        found.append((file, queue[0][1].lineno, "filter"))  # type: ignore[attr-defined]
    while queue and len(found) < limit:
        tree, expression = queue.pop(0)
        for node in ast.walk(expression):
            if isinstance(node, ast.Name):
                queue.extend(_given_before(tree, node, statement, seen, found))
            elif isinstance(node, ast.Call):
                for inside, definition in _definitions(tree, _called_name(node), files):
                    if definition in seen:
                        continue
                    seen.add(definition)
                    for inner in ast.walk(definition):
                        if isinstance(inner, ast.Return | ast.Yield) and inner.value is not None:
                            if _filters(inner.value) or _ends_its_loop(inside, inner):
                                found.append((inside.file, inner.lineno, "filter"))
                            for name in ast.walk(inner.value):
                                if isinstance(name, ast.Name):
                                    queue.extend(_given_before(inside, name, inner, seen, found))
    return found


def _given_before(
    tree: Tree, name: ast.Name, before: ast.AST, seen: set[ast.AST], found: list[tuple[str, int, str]]
) -> Iterator[tuple[Tree, ast.AST]]:
    """The values that the name is given, of assignments not `seen` yet; these, and the tests around them, go into
    `found`."""
    for assignment in _assignments(tree, name, before):
        if assignment not in seen:
            seen.add(assignment)
            value = getattr(assignment, "value", None) or assignment
            found.extend((tree.file, test, "branch") for test in branches_around(tree, assignment))
            found.append((tree.file, assignment.lineno, _kind(tree, assignment, value)))
            yield tree, value


def last_of_chain(file: str, line: int) -> int:
    """The line of the last `elif` of the chain that begins at `line`, where no `else` takes the rest; 0 where there is
    none."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    last = 0
    while isinstance(statement, ast.If) and statement.orelse:
        following = statement.orelse[0] if len(statement.orelse) == 1 else None
        if not isinstance(following, ast.If):
            return 0
        statement, last = following, following.lineno
    return last


def assignments_behind(file: str, line: int, limit: int = 12) -> list[ast.stmt]:
    """The assignments of the same function from which the names in the statement at `line` have their values, nearest
    first."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree else None
    if tree is None or statement is None:
        return []
    found: list[ast.stmt] = []
    queue: list[ast.stmt] = [statement]
    while queue and len(found) < limit:
        current = queue.pop(0)
        for name in [n for n in ast.walk(current) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]:
            for assignment in _assignments(tree, name, current):
                if assignment not in found and assignment.lineno <= statement.lineno:
                    found.append(assignment)
                    queue.append(assignment)
    return found


def made_lazily(file: str, line: int) -> bool:
    """Whether what the statement at `line` makes is kept for the next time: it stands in a branch, behind an `or`, or
    in a function whose result is cached."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree else None
    if tree is None or statement is None:
        return False
    if any(isinstance(outer, ast.If) for outer in _around(tree, statement)):
        return True
    if any(isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or) for node in ast.walk(statement)):
        return True
    scope = tree.function(statement)
    decorators = scope.decorator_list if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef) else []
    return any("cache" in ast.unparse(decorator) for decorator in decorators)


def branch_ran(file: str, line: int, ran: RanLines) -> bool:
    """Whether anything in the body of the `if` at `line` ran."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree else None
    return not isinstance(statement, ast.If) or _body_ran(statement.body, ran)


def construction_of(files: Iterable[str], kind: str, variable: str) -> tuple[str, int, str, int] | None:
    """(file, line, function, column) of the call that builds a `kind`, for an object whose making was not watched.

    The call whose result is bound to `variable` is taken; else the only call of that class in the first of the files
    that has any.
    """
    places = constructions_of(files, {kind})
    for place in places:
        if variable and variable in {name.rsplit(".", 1)[-1] for name in binding_of(place[0], place[1]).names}:
            return place
    return places[0] if is_only_one(places) else None


def is_only_one(places: Sequence[Sequence[object]]) -> bool:
    """Whether the first of the places is the only one in its file, which is the nearest."""
    return len([place for place in places if place[0] == places[0][0]]) == 1


def constructions_of(files: Iterable[str], kinds: set[str]) -> list[tuple[str, int, str, int]]:
    """(file, line, function, column) of each call of a class of one of these names."""
    found = []
    for file in files:
        tree = tree_of(file)
        for node in tree.calls if tree is not None else ():
            if tree is not None and _called_name(node) in kinds:
                scope = tree.function(node)
                found.append((file, node.lineno, getattr(scope, "name", "<module>"), node.col_offset))
    return found


def _covers(node: ast.AST, line: int) -> bool:
    return getattr(node, "lineno", 0) <= line <= (getattr(node, "end_lineno", 0) or 0)


def _kind(tree: Tree, assignment: ast.AST, value: ast.AST) -> str:
    if _filters(value) or branches_around(tree, assignment):
        return "filter"
    loop = next((n for n in _around(tree, assignment) if isinstance(n, ast.For | ast.While)), None)
    if loop is None or not isinstance(assignment, ast.Assign) or _own_entry(tree, assignment):
        return "assigned"
    return "assigned" if _is_of_its_round(tree, assignment, loop) else "rebound"


def _is_of_its_round(tree: Tree, assignment: ast.Assign, loop: ast.For | ast.While) -> bool:
    """Whether what is assigned in a loop is a variable that only the same loop puts into something that grows, or is
    put into: `own = …` and `chosen += own`."""
    names = {target.id for target in assignment.targets if isinstance(target, ast.Name)}
    scope = tree.function(assignment) or tree.root
    uses = [n for n in ast.walk(scope) if isinstance(n, ast.Name) and n.id in names and isinstance(n.ctx, ast.Load)]
    inside = {*ast.walk(loop)}
    return bool(uses) and all(
        use in inside and isinstance(tree.statement(use), ast.AugAssign | ast.Expr | ast.If) for use in uses
    )


def _own_entry(tree: Tree, assignment: ast.Assign) -> bool:
    """Whether `kept[name] = …` has a fresh place in each round: the key is the loop's own variable."""
    targets = [target for target in assignment.targets if isinstance(target, ast.Subscript)]
    variables = {
        n.id
        for outer in _around(tree, assignment)
        if isinstance(outer, ast.For)
        for n in ast.walk(outer.target)
        if isinstance(n, ast.Name)
    }
    return any(isinstance(t.slice, ast.Name) and t.slice.id in variables for t in targets)


def branches_around(tree: Tree, node: ast.AST) -> list[int]:
    """The lines of the `if` statements that decide whether `node` runs; that the program was started, and not imported,
    decides nothing."""
    branches = (outer for outer in _around(tree, node) if isinstance(outer, ast.If))
    return [outer.test.lineno for outer in branches if "__name__" not in ast.unparse(outer.test)]


def _around(tree: Tree, node: ast.AST) -> Iterator[ast.AST]:
    for outer in tree.ancestors(node):
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            return
        yield outer


def _filters(expression: ast.AST) -> bool:
    """Whether an expression leaves something out: a comprehension with a condition, `filter(…)`, a slice."""
    for node in ast.walk(expression):
        match node:
            case ast.comprehension(ifs=[_, *_]):
                return True
            case ast.Call(
                func=ast.Name(id="filter" | "islice" | "takewhile") | ast.Attribute(attr="islice" | "takewhile")
            ):
                return True
            case ast.Call(func=ast.Name(id="zip"), keywords=[]):
                return True
            case ast.BinOp(op=ast.Sub()):
                return True
            case ast.Subscript(slice=ast.Slice()):
                return True
    return False


def _assignments(tree: Tree, name: ast.Name, before: ast.AST) -> list[ast.stmt]:
    """The statements of the same function (or of the module) that give `name` its value, nearest first; for a lambda
    those of the function in which it stands.

    Calls that fill a list (`name.append(…)`, `name.extend(…)`, `name += …`) count.
    """
    scope: ast.AST = tree.function(name) or tree.root
    while isinstance(scope, ast.Lambda) and name.id not in {argument.arg for argument in scope.args.args}:
        scope = tree.function(scope) or tree.root
    found: list[ast.stmt] = []
    for node in ast.walk(scope):
        if not isinstance(node, ast.stmt) or node is before:
            continue
        match node:
            case ast.Assign(targets=targets) if any(name.id in _target_names(t) for t in targets):
                found.append(node)
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=target))]) if target == name.id:
                found.append(node)
            case ast.AugAssign(target=ast.Name(id=target)) | ast.AnnAssign(target=ast.Name(id=target)) if (
                target == name.id
            ):
                found.append(node)
            case ast.Expr(
                value=ast.Call(
                    func=ast.Attribute(
                        value=ast.Name(id=target) | ast.Subscript(value=ast.Name(id=target)), attr=method
                    )
                )
            ) if target == name.id and method in ("append", "extend", "add", "insert", "update"):
                found.append(node)
    return sorted(found, key=lambda node: -node.lineno)


def _ends_its_loop(tree: Tree, node: ast.AST) -> bool:
    """Whether a `return` stands unconditionally in the body of a `for`, and ends it in the first round."""
    outer = tree.parents.get(node)
    return isinstance(node, ast.Return) and isinstance(outer, ast.For) and node in outer.body


def _definitions(tree: Tree, name: str, files: Sequence[str]) -> list[tuple[Tree, ast.stmt]]:
    """The functions of that name in the file; where it has none, the only one in `files`."""
    own = [(tree, node) for node in tree.statements if _defines(node, name)]
    if own or not name:
        return own
    others = [(other, node) for other in filter(None, map(tree_of, files)) for node in other.statements]
    others = [(other, node) for other, node in others if _defines(node, name)]
    return others if len(others) == 1 else []


def _defines(node: ast.stmt, name: str) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name


def is_zero(node: ast.AST | None) -> bool:
    """Whether an expression is the number 0, written out."""
    return isinstance(node, ast.Constant) and type(node.value) in (int, float) and node.value == 0
