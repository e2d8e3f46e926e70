"""Questions about loops and iterators in the text of the user's program: which round is the last, who used up what."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator
from dataclasses import dataclass, replace

from fxaudit.program.ran import RanLines
from fxaudit.program.tree import Obstacle, Tree, draws_at_random, obstacles, tree_of

__all__ = [
    "LoopOver",
    "UsedUp",
    "counting_loop",
    "kept_generators",
    "late_closures",
    "leaves_loop_after",
    "leftover_variable",
    "loop_over",
    "place_kept",
    "used_up",
]

ITERATORS = frozenset(
    {
        "parameters", "named_parameters", "modules", "named_modules", "children", "named_children", "buffers",
        "named_buffers", "filter", "map", "zip", "iter", "enumerate", "reversed", "chain", "from_iterable", "groupby",
        "islice", "takewhile", "dropwhile",
    }
)  # fmt: skip
"""Calls that give their items once."""
LAZY = frozenset({"chain", "dropwhile", "filter", "islice", "map", "takewhile"})
"""Functions that choose or join the items of something else, of which a list is made where they are called."""


@dataclass(frozen=True, slots=True)
class UsedUp:
    """An iterator that is read twice: the second reader finds it empty."""

    name: str
    first: int
    second: int
    made: int = 0
    """The line of the generator expression, or of the `filter`, by which it is made, where the second reader only hands
    it on; else 0."""
    owner: str = ""
    """The module whose own method gives it, such as `parameters()`, where the second reader only hands it on."""


def counting_loop(tree: Tree, node: ast.AST) -> int:
    """The line of the loop or comprehension whose variable is the index by which `node` is read, or of the assignment
    that makes it of a counter, by a remainder say; 0 for none."""
    holder = tree.parents.get(node)
    if not isinstance(holder, ast.Subscript) or holder.value is not node:
        return 0
    names = {n.id for n in ast.walk(holder.slice) if isinstance(n, ast.Name)}
    for outer in tree.ancestors(node):
        match outer:
            case ast.For(target=target) | ast.ListComp(generators=[ast.comprehension(target=target), *_]):
                if names & {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}:
                    return outer.lineno
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                break
    return _turning(tree, node, names)


def _turning(tree: Tree, node: ast.AST, names: set[str]) -> int:
    """The last assignment before the statement of `node` that gives one of the names a remainder, or what stands at
    one."""
    statement = tree.statement(node)
    scope = tree.function(node) or tree.root
    found = [
        other.lineno
        for other in ast.walk(scope)
        if isinstance(other, ast.Assign)
        and statement is not None
        and other.lineno < statement.lineno
        and any(isinstance(t, ast.Name) and t.id in names for t in other.targets)
        and any(isinstance(n, ast.BinOp) and isinstance(n.op, ast.Mod) for n in ast.walk(other.value))
    ]
    return max(found, default=0)


def used_up(file: str, line: int, ran: Container[int] | None = None) -> list[UsedUp]:
    """The iterators of the function around `line` that are read a second time at or before that statement, on the lines
    that `ran`, if these are known."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree else None
    if tree is None or statement is None:
        return []
    scope: ast.AST = tree.function(statement) or tree.root
    last = statement.end_lineno or line
    found = []
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and _gives_once(tree, node.value):
            target = node.targets[0]
            if not isinstance(target, ast.Name | ast.Attribute):
                continue
            name = ast.unparse(target)
            reads = [n for n in _reads(scope, name) if node.lineno < n.lineno <= last]
            reads = [n for n in reads if ran is None or n.lineno in ran]
            again = [n for n in reads if _repeats(tree, n, node)]
            if len(reads) > 1:
                is_gone_through = isinstance(tree.parents[reads[1]], ast.comprehension | ast.For)
                made = 0 if is_gone_through else _bracketed(node)
                found.append(UsedUp(name, reads[0].lineno, reads[1].lineno, made, _owner(node, is_gone_through)))
            elif again:
                found.append(UsedUp(name, again[0].lineno, again[0].lineno, _bracketed(node)))
    return found


def kept_generators(file: str, lines: Container[int]) -> list[ast.GeneratorExp | ast.Call]:
    """What gives its items once, goes through parameters, and is kept, on one of the `lines`: in a dictionary or a
    tuple, or handed back by a function, at once or by the name of it that the function reads nowhere else."""
    tree = tree_of(file)
    found: list[ast.GeneratorExp | ast.Call] = []
    for node in tree.nodes if tree is not None else ():
        if tree is None or not isinstance(node, ast.GeneratorExp | ast.Call) or node.lineno not in lines:
            continue
        through = [part.iter for part in node.generators] if isinstance(node, ast.GeneratorExp) else [node]
        asked = [part for one in through for part in ast.walk(one) if isinstance(part, ast.Call)]
        if not any(getattr(call.func, "attr", "") in ("parameters", "named_parameters") for call in asked):
            continue
        match tree.parents.get(node):
            case ast.Dict(values=values) if node in values and _gives_once(tree, node):
                found.append(node)
            case ast.Tuple() | ast.Return() if isinstance(node, ast.GeneratorExp):
                found.append(node)
            case ast.Assign(targets=[ast.Name(id=name)]) as made if _gives_once(tree, node) and _lets_all_pass(node):
                if _name_kept(tree, made, name) is not None:
                    found.append(node)
    return found


def place_kept(tree: Tree, node: ast.expr) -> ast.expr | None:
    """Where that stands which is kept: itself, or the name that it was given before."""
    match tree.parents.get(node):
        case ast.Assign(targets=[ast.Name(id=name)]) as made:
            return _name_kept(tree, made, name)
    return node


def _name_kept(tree: Tree, made: ast.Assign, name: str) -> ast.expr | None:
    """The one reading of the name in its function, where that puts it in a dictionary or a tuple, or hands it back."""
    scope = tree.function(made)
    reads = _reads(scope, name) if scope is not None else []
    outer = tree.parents.get(reads[0]) if len(reads) == 1 else None
    match outer:
        case ast.Return() | ast.Tuple():
            return reads[0]
        case ast.Dict(values=values) if reads[0] in values:
            return reads[0]
        case ast.keyword() as given:
            call = tree.parents.get(given)
            is_display = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "dict"
            return reads[0] if is_display else None
    return None


def _lets_all_pass(node: ast.GeneratorExp | ast.Call) -> bool:
    """Whether it leaves out nothing but what is frozen; of a generator expression that is asked where it ran."""
    match node:
        case ast.Call(func=ast.Name(id="filter") | ast.Attribute(attr="filterfalse" | "compress")):
            return isinstance(getattr(node.args[0], "body", None), ast.Attribute) if node.args else False
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in ITERATORS
    return True


def _bracketed(made: ast.Assign) -> int:
    match made.value:
        case ast.GeneratorExp():
            return made.lineno
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(value=ast.Name(id="itertools"), attr=name)):
            return made.lineno if name in LAZY else 0
    return 0


def _owner(made: ast.Assign, is_gone_through: bool) -> str:
    match made.value:
        case ast.Call(func=ast.Attribute(value=owner, attr="parameters" | "named_parameters" | "children" | "modules")):
            return "" if is_gone_through else ast.unparse(owner)
    return ""


def _reads(scope: ast.AST, name: str) -> list[ast.expr]:
    reads = [
        node
        for node in ast.walk(scope)
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load) and ast.unparse(node) == name
    ]
    return sorted(reads, key=lambda node: (node.lineno, node.col_offset))


def _gives_once(tree: Tree, value: ast.expr) -> bool:
    match value:
        case ast.GeneratorExp():
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in ITERATORS or _is_generator(tree, name)
    return False


def _is_generator(tree: Tree, name: str) -> bool:
    return any(
        isinstance(node, ast.FunctionDef)
        and node.name == name
        and any(isinstance(n, ast.Yield | ast.YieldFrom) and tree.function(n) is node for n in ast.walk(node))
        for node in tree.nodes
    )


def _repeats(tree: Tree, read: ast.AST, made: ast.AST) -> bool:
    """Whether a loop, or a comprehension, repeats the reading and not the making."""
    inner: ast.AST = read
    for outer in tree.ancestors(read):
        if outer in tree.ancestors(made) or isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return False
        match outer:
            case ast.For(body=body) if inner in body:
                return True
            case ast.While():
                return True
            case ast.ListComp(generators=[first, *_]) | ast.SetComp(generators=[first, *_]):
                if inner is not first:
                    return True
            case ast.DictComp(generators=[first, *_]) if inner is not first:
                return True
        inner = outer
    return False


@dataclass(frozen=True, slots=True)
class LoopOver:
    """A `for` that calls, in each round, one of the things it goes through."""

    call: ast.Call
    missed: list[Obstacle]
    """What may leave a round without the call, or let a round never come, given that some rounds called theirs."""


def loop_over(tree: Tree, node: ast.AST) -> LoopOver | None:
    """The loop that goes through what `node` names and calls it: `for layer in self.layers: x = layer(x)`."""
    loop = next((outer for outer in tree.ancestors(node) if isinstance(outer, ast.For)), None)
    if loop is None or not any(part is node for part in ast.walk(loop.iter)):
        return None
    names = _names(_own_target(loop.iter, loop.target, node))
    calls = [part for statement in loop.body for part in ast.walk(statement) if isinstance(part, ast.Call)]
    call = next((c for c in calls if isinstance(c.func, ast.Name) and c.func.id in names), None)
    return LoopOver(call, _choices(tree, loop, call) or _endings(tree, loop)) if call is not None else None


def _own_target(through: ast.expr, target: ast.expr, node: ast.AST) -> ast.expr:
    """The part of a loop's target that stands for what `node` names: the second one of `zip(first, node)`."""
    match through, target:
        case ast.Call(func=ast.Name(id="enumerate"), args=[inner, *_]), ast.Tuple(elts=[_, own]):
            return _own_target(inner, own, node)
        case ast.Call(func=ast.Name(id="zip"), args=parts), ast.Tuple(elts=targets) if len(parts) == len(targets):
            pairs = zip(parts, targets, strict=True)
            found = (pair for pair in pairs if any(part is node for part in ast.walk(pair[0])))
            return next((_own_target(*pair, node) for pair in found), target)
    return target


def _choices(tree: Tree, loop: ast.For, call: ast.Call) -> list[Obstacle]:
    """The conditions in the body of the loop that decide whether a round makes the call."""
    inside = range(loop.lineno + 1, (loop.end_lineno or loop.lineno) + 1)
    return [
        replace(obstacle, role=f"`{obstacle.condition}` decides which of them run")
        for obstacle in obstacles(tree, call, RanLines())
        if obstacle.condition and obstacle.line in inside
    ]


def _endings(tree: Tree, loop: ast.For) -> list[Obstacle]:
    """What ends the loop before its last round."""
    found: list[Obstacle] = []
    for statement in loop.body:
        if isinstance(statement, ast.Return | ast.Break):
            word = type(statement).__name__.lower()
            found.append(Obstacle(tree.file, statement.lineno, f"the `{word}` ends the loop in its first round"))
        elif isinstance(statement, ast.If) and any(isinstance(s, ast.Return | ast.Break) for s in statement.body):
            text = tree.text(statement.test)
            random = draws_at_random(tree, statement.test)
            found.append(Obstacle(tree.file, statement.lineno, f"`{text}` ends the loop early", text, random))
    return found


def leaves_loop_after(tree: Tree, call: ast.AST) -> ast.stmt | None:
    """The `return` or `break` that ends the loop around `call` in its first round, right behind the call."""
    inner: ast.AST = call
    for outer in tree.ancestors(call):
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return None
        if isinstance(outer, ast.For) and inner in outer.body:
            return next(_jumps(outer.body[outer.body.index(inner) + 1 :]), None)
        inner = outer
    return None


def _jumps(statements: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in statements:
        if isinstance(statement, ast.Return | ast.Break):
            yield statement
        elif isinstance(statement, ast.If):
            yield from _jumps(statement.body)
            yield from _jumps(statement.orelse)


def leftover_variable(tree: Tree, call: ast.Call) -> str:
    """The variable of a `for` loop that `call`'s receiver uses behind that loop, where only its last value is left."""
    scope: ast.AST = tree.function(call) or tree.root
    around = set(tree.ancestors(call))
    used = {node.id for node in ast.walk(call.func) if isinstance(node, ast.Name)}
    bound_around = {n for outer in around if isinstance(outer, ast.For) for n in _names(outer.target)}
    for node in ast.walk(scope):
        if isinstance(node, ast.For) and node not in around and (node.end_lineno or 0) < call.lineno:
            for name in _names(node.target):
                if name in used and name not in bound_around:
                    return name
    return ""


def late_closures(tree: Tree) -> list[tuple[int, str]]:
    """(line, variable) of the lambdas and functions made in a loop that read, when they are called, the loop's
    variable, or one that each round gives another value.

    By then it has its last value: all of them see the same.
    """
    found: list[tuple[int, str]] = []
    for node in tree.nodes:
        if not isinstance(node, ast.Lambda | ast.FunctionDef):
            continue
        own = {argument.arg for argument in ast.walk(node.args) if isinstance(argument, ast.arg)}
        read = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)} - own
        inner: ast.AST = node
        for outer in tree.ancestors(node):
            match outer:
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda() | ast.ClassDef():
                    break
                case ast.For(target=target, body=body) if inner in body and _is_kept(tree, node):
                    stored = _stored(tree, body, outer)
                    late = [*_names(target), *sorted(stored - {*_names(target)})]
                    found.extend((node.lineno, name) for name in late if name in read)
                case ast.ListComp(generators=generators) | ast.DictComp(generators=generators):
                    names = {name for generator in generators for name in _names(generator.target)}
                    found.extend((node.lineno, name) for name in sorted(names & read) if _is_kept(tree, node))
            inner = outer
    return found


def _stored(tree: Tree, body: list[ast.stmt], loop: ast.AST) -> set[str]:
    """The variables of the loop's own function that its body gives a value."""
    names = (n for statement in body for n in ast.walk(statement) if isinstance(n, ast.Name))
    return {n.id for n in names if isinstance(n.ctx, ast.Store) and tree.function(n) is tree.function(loop)}


def _is_kept(tree: Tree, node: ast.AST) -> bool:
    """Whether a function outlives its round: it is no argument of a call that runs it at once, such as `sorted`."""
    outer = tree.parents.get(node)
    at_once = {"sorted", "min", "max", "map", "filter", "sort"}
    return not (
        isinstance(outer, ast.keyword | ast.Call)
        and any(
            isinstance(call, ast.Call) and (getattr(call.func, "id", "") or getattr(call.func, "attr", "")) in at_once
            for call in [outer, tree.parents.get(outer)]
        )
    )


def _names(target: ast.expr) -> list[str]:
    return [node.id for node in ast.walk(target) if isinstance(node, ast.Name)]
