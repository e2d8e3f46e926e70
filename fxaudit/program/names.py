"""Questions about names in the text of the user's program: which is never read, and what was written in its place."""

from __future__ import annotations

import ast

from fxaudit.program.ran import RanLines
from fxaudit.program.tree import Obstacle, Tree, binding_of, obstacles, tree_of

__all__ = [
    "GIVING_THE_VALUE",
    "METHODS_OF_MODULES",
    "also_called",
    "calls_again",
    "growth_not_reached",
    "handed_to",
    "ingredients",
    "is_unread",
    "makes_weights",
    "names_bound",
    "names_read",
    "parallel",
    "part_read_instead",
    "picked_from",
    "repeating",
    "siblings_of",
    "statements_after",
]

SHAPES = frozenset(
    "shape size device dtype ndim dim numel new_zeros new_ones new_full new_empty requires_grad is_cuda".split()
)

WEIGHTS = frozenset({"sigmoid", "softmax", "hardsigmoid"})
METHODS_OF_MODULES = frozenset(
    """to cuda cpu float half double bfloat16 train eval apply _apply forward state_dict load_state_dict
    zero_grad""".split()
)
"""What every module has a method of that name for."""
GIVING_THE_VALUE = frozenset({"to", "cuda", "cpu", "half", "float", "data", "weight", "bias"})
"""Attributes and methods of a parameter or module by which its value is computed with, in some form."""
ENTRIES = frozenset({"items", "values", "keys"})
FILLING = frozenset({"append", "extend", "insert", "add", "update", "setdefault"})


def is_unread(tree: Tree, statement: ast.stmt, name: str) -> bool:
    """Whether nothing in the function of `statement` reads `name` once the statement has given it a value."""
    scope = tree.function(statement) or tree.root
    loop = next((outer for outer in tree.ancestors(statement) if isinstance(outer, ast.For | ast.While)), None)
    mentions = sorted(
        (n for n in ast.walk(scope) if isinstance(n, ast.Name) and n.id == name),
        key=lambda n: (n.lineno, n.col_offset),
    )
    end = statement.end_lineno or statement.lineno
    after = [n for n in mentions if n.lineno > end]
    if loop is not None:
        # The next round begins at the top.
        after += [n for n in mentions if loop.lineno <= n.lineno < statement.lineno and n not in after]
    again = next((n for n in after if isinstance(n.ctx, ast.Store)), None)
    writer = tree.statement(again) if again is not None and loop is None else None
    last = writer.end_lineno if writer is not None else None
    return not any(_is_value_read(tree, n) and (last is None or n.lineno <= last) for n in after)


def _is_value_read(tree: Tree, name: ast.Name) -> bool:
    """Whether a mention reads more than the shape, or the like, of what it names."""
    if not isinstance(name.ctx, ast.Load) or _is_told_only(tree, name):
        return False
    match tree.parents[name]:
        case ast.Attribute(attr=attribute):
            return attribute not in SHAPES | FILLING
        case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called), args=[first, *_]) if first is name:
            return called != "len" and not called.endswith("_like")
    return True


def _is_told_only(tree: Tree, name: ast.Name) -> bool:
    """Whether a mention stands in a call whose result nobody takes, and which puts nothing aside: a log."""
    match tree.statement(name):
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=method))):
            return method not in FILLING
        case ast.Expr(value=ast.Call(func=ast.Name(id=function))):
            return function == "print"
    return False


def picked_from(tree: Tree, statement: ast.stmt, name: str) -> tuple[ast.stmt, str] | None:
    """The statement that picks one of several values, `min(a, b)` or `outputs[-1]`, where that is all that anybody
    behind `statement` reads of `name`; and what picks."""
    scope = tree.function(statement) or tree.root
    reads = [
        n
        for n in ast.walk(scope)
        if isinstance(n, ast.Name) and n.id == name and _is_value_read(tree, n) and n.lineno > statement.lineno
    ]
    picks = [_picking(tree, read) for read in reads if not _is_filled(tree, read)]
    found = tree.statement(reads[-1]) if reads else None
    return (found, picks[-1]) if found is not None and picks and all(picks) else None


def _is_filled(tree: Tree, name: ast.Name) -> bool:
    match tree.parents[name]:
        case ast.Attribute(attr=attribute):
            return attribute in FILLING
    return False


def _picking(tree: Tree, name: ast.Name) -> str:
    match tree.parents[name]:
        case ast.Call(func=ast.Name(id="min" | "max" as function), args=[_, *_]):
            return str(function)
        case ast.Subscript(value=value, slice=ast.Constant(value=int()) | ast.UnaryOp(op=ast.USub())) as part if (
            value is name
        ):
            return ast.unparse(part)
    return ""


def handed_to(inner: tuple[str, int], name: str, outer: tuple[str, int]) -> tuple[str, ...]:
    """The names under which the caller at `outer` gets what the function around `inner` returns of `name`: a variable,
    or a part of one, `out['name']` or `out.name`.

    None of them where the function does more with it than to return it.
    """
    tree = tree_of(inner[0])
    statement = tree.statement_at(inner[1]) if tree else None
    scope = tree.function(statement) if tree is not None and statement is not None else None
    if tree is None or statement is None or scope is None:
        return ()
    reads = [
        n
        for n in ast.walk(scope)
        if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load) and n.lineno > statement.lineno
    ]
    names = binding_of(*outer).names
    for read in reads:
        holder = tree.parents[read]
        if isinstance(holder, ast.Tuple) and isinstance(tree.parents[holder], ast.Return):
            if len(names) == len(holder.elts):
                return (names[holder.elts.index(read)],)
        elif isinstance(holder, ast.Dict) and isinstance(tree.parents[holder], ast.Return):
            key = next((k for k, v in zip(holder.keys, holder.values, strict=True) if v is read), None)
            if isinstance(key, ast.Constant) and len(names) == 1:
                return (f"{names[0]}[{key.value!r}]",)
        elif isinstance(holder, ast.keyword) and isinstance(tree.parents[tree.parents[holder]], ast.Return):
            if holder.arg is not None and len(names) == 1:
                is_dict = ast.unparse(tree.parents[holder]).startswith("dict(")
                return (f"{names[0]}[{holder.arg!r}]" if is_dict else f"{names[0]}.{holder.arg}",)
        elif not isinstance(holder, ast.Return):
            return ()
    return names if reads and len(names) == 1 else ()


def part_read_instead(tree: Tree, statement: ast.stmt, part: str) -> tuple[int, str]:
    """(line, text) of the second reading of one part of a variable, or the last where none is read twice, if no
    statement after this one reads `part`, or the variable as a whole; (0, "") otherwise."""
    variable = part.partition("[")[0].partition(".")[0]
    reads: list[tuple[int, str]] = []
    for other in statements_after(tree, statement):
        for node in ast.walk(other):
            if isinstance(node, ast.Name) and node.id == variable:
                holder = tree.parents[node]
                text = ast.unparse(holder) if isinstance(holder, ast.Subscript | ast.Attribute) else ""
                if not text or text == part or (isinstance(holder, ast.Subscript) and "'" not in text):
                    return 0, ""
                reads.append((node.lineno, text))
    texts = [text for _, text in sorted(reads)]
    again = [read for number, read in enumerate(sorted(reads)) if read[1] in texts[:number]]
    return (again or sorted(reads)[-1:] or [(0, "")])[0]


def calls_again(one: ast.stmt, other: ast.stmt) -> str:
    """What both statements call, where the value of the first is nothing but such a call; empty where there is none."""
    match one:
        case ast.Assign(value=ast.Call(func=function)):
            text = ast.unparse(function)
            called = (ast.unparse(node.func) for node in ast.walk(other) if isinstance(node, ast.Call))
            return text if any(name == text for name in called) else ""
    return ""


def also_called(tree: Tree, statement: ast.stmt, name: str) -> set[str]:
    """The other names that were assigned to `name` as they are at or before the statement: `h = h0`."""
    scope = tree.function(statement) or tree.root
    return {
        node.value.id
        for node in ast.walk(scope)
        if isinstance(node, ast.Assign)
        and node.lineno <= statement.lineno
        and isinstance(node.value, ast.Name)
        and any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
    }


def ingredients(statement: ast.stmt) -> set[str]:
    """The local names that the statement reads, other than those of what it calls; what a loop in it goes through, by
    `items()` say, counts."""
    called = {id(n.func) for n in ast.walk(statement) if isinstance(n, ast.Call)}
    attributes = (n for n in ast.walk(statement) if isinstance(n, ast.Attribute))
    bases = {id(n.value) for n in attributes if n.attr not in ENTRIES}
    return {
        n.id
        for n in ast.walk(statement)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and id(n) not in called | bases
    }


def statements_after(tree: Tree, statement: ast.stmt) -> list[ast.stmt]:
    """The simple statements of the same function that come after it, in reading order."""
    scope = tree.function(statement) or tree.root
    end = statement.end_lineno or statement.lineno
    return [
        other
        for other in tree.statements
        if other.lineno > end
        and isinstance(other, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Return | ast.Expr)
        and (tree.function(other) or tree.root) is scope
    ]


def repeating(statement: ast.stmt) -> str:
    """The name that the statement joins, multiplies or compares with itself; empty where there is none."""
    for node in ast.walk(statement):
        match node:
            case ast.List(elts=parts) | ast.Tuple(elts=parts, ctx=ast.Load()) | ast.Call(args=parts):
                names = [part.id for part in parts if isinstance(part, ast.Name)]
            case ast.BinOp(left=ast.Name(id=one), right=ast.Name(id=other), op=ast.Add() | ast.Sub()):
                names = [one, other]
            case ast.BinOp(left=left, right=right, op=ast.MatMult()):
                names = [name for side in (left, right) if (name := _owner(side))]
            case _:
                continue
        twice = next((name for name in names if names.count(name) > 1), "")
        if twice:
            return twice
    return ""


def _owner(node: ast.expr) -> str:
    """The variable whose methods are called, one on the result of the other: `k` of `k.transpose(1, 2)`."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        node = node.func.value
    return node.id if isinstance(node, ast.Name) else ""


def parallel(one: ast.stmt, other: ast.stmt) -> bool:
    """Whether two assignments have the same form, and differ in names alone: `q = self.to_q(x)`, `k = self.to_k(x)`."""
    values = [node.value for node in (one, other) if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)]
    return len(values) == 2 and len({_form(value) for value in values}) == 1 and ingredients(one) == ingredients(other)


def makes_weights(statement: ast.stmt) -> bool:
    """Whether a statement binds the result of a sigmoid or a softmax: something else is multiplied with it, and nothing
    goes on from it alone."""
    match statement:
        case ast.Assign(value=ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name))):
            return name in WEIGHTS
    return False


def _form(value: ast.expr) -> str:
    nodes = (type(node).__name__ for node in ast.walk(value))
    return " ".join(nodes)


def names_bound(statement: ast.stmt) -> set[str]:
    """The variables that a simple statement gives a value."""
    return {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def names_read(statement: ast.stmt) -> set[str]:
    """The variables that a statement reads."""
    return {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def siblings_of(tree: Tree, statement: ast.stmt, name: str) -> set[str]:
    """The names that were unpacked together with `name` at or before the statement in its function."""
    scope = tree.function(statement) or tree.root
    found: set[str] = set()
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign) and node.lineno <= statement.lineno:
            for target in node.targets:
                if isinstance(target, ast.Tuple | ast.List):
                    names = {part.id for part in target.elts if isinstance(part, ast.Name)}
                    found |= names - {name} if name in names and isinstance(node.value, ast.Call) else set()
    return found


def growth_not_reached(file: str, line: int, ran: RanLines) -> list[Obstacle]:
    """What keeps every statement from running that would add something to the value bound at `line`."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree else None
    if tree is None or statement is None:
        return []
    names = set(binding_of(file, line).names)
    for other in statements_after(tree, statement):
        match other:
            case ast.AugAssign(target=ast.Name(id=name)):
                grows = name in names
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                grows = name in names and any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(value))
            case _:
                grows = False
        if grows:
            if any(other.lineno <= number <= (other.end_lineno or other.lineno) for number in ran):
                return []
            found = obstacles(tree, other, ran)
            if found:
                return found
    return []
