"""How values are handed on, or not: collected lists, results that a filter picks from, arguments
that a function never reads."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from fxaudit.program.tree import Tree, tree_of

__all__ = [
    "collection_at",
    "collects",
    "filtered_later",
    "handing_lambda",
    "hands_on",
    "inner_calls",
    "passing",
    "reads_argument",
    "stars",
    "unread_collections",
    "written_in_loop",
]

COLLECTING = frozenset({"append", "extend", "add", "update"})
LOOKING = frozenset({"len", "print", "sorted", "isinstance"})


def hands_on(scope: ast.FunctionDef | ast.Lambda, statement: ast.AST) -> bool:
    """Whether a call in the statement is given, first or unpacked, what its function is given itself, or all parameters
    of the one thing that it is given, and nothing of the function's own is made of that before."""
    given = scope.args
    names = {a.arg for a in (*given.posonlyargs, *given.args, given.vararg) if a is not None} - {"self", "cls"}
    bound = {node.id for node in ast.walk(scope) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in ast.walk(statement):
        match node:
            case ast.Call(args=[ast.Name(id=name) | ast.Starred(value=ast.Name(id=name)), *_]) if name in names - bound:
                return True
            case ast.Call(args=[ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="parameters")), *_]) if (
                name in names - bound and _models_of(scope, names) == [name]
            ):
                return True
            case ast.Call(args=[part, *_]) if given.vararg is not None and _is_all_of(scope, part, given.vararg.arg):
                return True
    return False


def _is_all_of(scope: ast.FunctionDef | ast.Lambda, part: ast.expr, models: str) -> bool:
    """Whether it is all parameters that require grad of all models of the argument `*models`, however they are joined:
    `[p for p in chain.from_iterable(m.parameters() for m in models) if p.requires_grad]`."""
    match part:
        case ast.Name(id=name):
            made = [node.value for node in ast.walk(scope) if isinstance(node, ast.Assign) and _binds(node, name)]
            return len(made) == 1 and _is_all_of(scope, made[0], models)
        case ast.Call(func=ast.Name(id="list" | "tuple" | "chain"), args=[inner]) | ast.Starred(value=inner):
            return _is_all_of(scope, inner, models)
        case ast.Call(func=ast.Attribute(attr="chain" | "from_iterable"), args=[inner]):
            return _is_all_of(scope, inner, models)
        case ast.Call(func=ast.Name(id="filter"), args=[ast.Lambda(body=ast.Attribute(attr="requires_grad")), inner]):
            return _is_all_of(scope, inner, models)
        case ast.ListComp(elt=element, generators=rounds) | ast.GeneratorExp(elt=element, generators=rounds):
            tests = [test for one in rounds for test in one.ifs]
            if not all(isinstance(test, ast.Attribute) and test.attr == "requires_grad" for test in tests):
                return False
            first = rounds[0].iter
            if not (isinstance(first, ast.Name) and first.id == models):
                return isinstance(element, ast.Name) and len(rounds) == 1 and _is_all_of(scope, first, models)
            calls = [element, *(one.iter for one in rounds[1:])]
            return any(isinstance(c, ast.Call) and getattr(c.func, "attr", "") == "parameters" for c in calls)
    return False


def _binds(node: ast.Assign, name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in node.targets)


def handing_lambda(statement: ast.stmt, line: int) -> bool:
    """Whether a lambda that stands at the line of the statement hands on what it is given."""
    lambdas = (node for node in ast.walk(statement) if isinstance(node, ast.Lambda))
    return any(hands_on(one, one.body) for one in lambdas if one.lineno <= line <= (one.end_lineno or line))


def _models_of(scope: ast.FunctionDef | ast.Lambda, names: set[str]) -> list[str]:
    """The arguments that the function has to do with as with models: once for each time that it mentions them so."""
    parts = {node.value for node in ast.walk(scope) if isinstance(node, ast.Attribute)}
    parts |= {given for node in ast.walk(scope) if isinstance(node, ast.Call) for given in node.args}
    return [part.id for part in parts if isinstance(part, ast.Name) and part.id in names]


def unread_collections(file: str, line: int) -> list[tuple[int, str]]:
    """(line, name) of the lists that the function around `line` fills, item by item or with what `parameters()` gives,
    and hands to nobody."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    scope = tree.function(statement) if tree is not None and statement is not None else None
    if tree is None or scope is None:
        return []
    filled: dict[str, int] = {}
    read: set[str] = set()
    for node in ast.walk(scope):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name() | ast.Subscript() as kept, attr=method)) if (
                method in COLLECTING
            ):
                filled[tree.text(kept)] = node.lineno
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if _takes_parameters(value):
                filled[name] = node.lineno
            case ast.Name(ctx=ast.Load()) | ast.Subscript(ctx=ast.Load()) if not _is_looked_at(tree, node):
                read.add(tree.text(node))
    found = []
    for name, where in filled.items():
        whole = name.partition("[")[0]
        alone = whole == name or not _read_whole(tree, scope, whole)
        if name not in read and alone:
            found.append((where, name))
    return sorted(found)


def _takes_parameters(value: ast.expr) -> bool:
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("parameters", "named_parameters")
        for node in ast.walk(value)
    )


def _is_looked_at(tree: Tree, node: ast.AST) -> bool:
    """Whether the expression is only filled, measured or printed, or is the base of a subscript."""
    parent = tree.parents.get(node)
    match parent:
        case ast.Attribute(attr=attribute):
            return attribute in COLLECTING
        case ast.Subscript(value=value):
            return value is node
        case ast.Call(func=ast.Name(id=name)):
            return name in LOOKING
        case ast.FormattedValue():
            return True
    return False


def _read_whole(tree: Tree, scope: ast.AST, name: str) -> bool:
    return any(
        isinstance(node, ast.Name)
        and node.id == name
        and isinstance(node.ctx, ast.Load)
        and not isinstance(tree.parents.get(node), ast.Subscript)
        for node in ast.walk(scope)
    )


def collects(file: str, line: int) -> bool:
    """Whether the statement at `line` puts its values into a collection, as in `outputs.append(layer(x))`."""
    return bool(collection_at(file, line))


def collection_at(file: str, line: int) -> str:
    """The expression of the collection into which the statement at `line` puts its values; "" where it does not."""
    tree = tree_of(file)
    match tree.statement_at(line) if tree is not None else None:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=kept, attr=method), args=[_, *_])):
            if method in COLLECTING | {"insert", "put", "appendleft", "setdefault"}:
                return ast.unparse(kept)
        case ast.Assign(targets=[ast.Subscript(value=kept)]):
            return ast.unparse(kept)
    return ""


def filtered_later(file: str, line: int, names: Iterable[str]) -> int:
    """The line behind `line`, in the same function, at which a comprehension with a condition picks from one of
    `names`, or asks what is in it; 0 where there is none."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    if tree is None or statement is None:
        return 0
    wanted = set(names)
    scope: ast.AST = tree.function(statement) or tree.root
    lines = [
        node.iter.lineno
        for node in ast.walk(scope)
        if isinstance(node, ast.comprehension)
        and node.ifs
        and node.iter.lineno > line
        and any(isinstance(n, ast.Name) and n.id in wanted for part in (node.iter, *node.ifs) for n in ast.walk(part))
    ]
    return min(lines, default=0)


def written_in_loop(tree: Tree, line: int) -> list[tuple[int, str]]:
    """(line, name) of the assignments behind the `if` at `line`, in the innermost loop around it, to what its test
    compares: what one round leaves to the next."""
    statement = tree.statement_at(line)
    if not isinstance(statement, ast.If):
        return []
    loop = next((outer for outer in tree.ancestors(statement) if isinstance(outer, ast.For | ast.While)), None)
    if loop is None:
        return []
    inside = {id(node) for node in ast.walk(statement)}
    names = {tree.text(n) for n in ast.walk(statement.test) if isinstance(n, ast.Name | ast.Attribute)}
    found = []
    for node in ast.walk(loop):
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets = [node.target] if isinstance(node, ast.AugAssign) else targets
        for target in targets:
            if (
                isinstance(target, ast.Name | ast.Attribute)
                and tree.text(target) in names
                and id(node) not in inside
                and target.lineno > line
            ):
                found.append((node.lineno, tree.text(target)))  # type: ignore[attr-defined]
    return found


def stars(file: str, line: int) -> bool:
    """Whether a call at `line` hands on `*arguments` that the function around it got or gathered."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    if statement is None:
        return False
    return any(isinstance(arg, ast.Starred) for n in ast.walk(statement) if isinstance(n, ast.Call) for arg in n.args)


def passing(file: str, line: int, names: Iterable[str]) -> Iterator[tuple[int, int, str]]:
    """(line, position, keyword) of the arguments behind `line`, in the same function, that are one of `names`; the
    position is -1 for a keyword argument."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    if tree is None or statement is None:
        return
    wanted = set(names)
    for node in ast.walk(tree.function(statement) or tree.root):
        if isinstance(node, ast.Call) and node.lineno > line:
            for position, arg in enumerate(node.args):
                if isinstance(arg, ast.Name) and arg.id in wanted:
                    yield node.lineno, position, ""
            for keyword in node.keywords:
                if isinstance(keyword.value, ast.Name) and keyword.value.id in wanted and keyword.arg:
                    yield node.lineno, -1, keyword.arg


def reads_argument(file: str, line: int, name: str) -> bool | None:
    """Whether the function defined at `line` reads its argument `name`; None where it has none of that name."""
    scope = _definition(file, line)
    if scope is None:
        return None
    arguments = scope.args
    if name not in {a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}:
        return None
    return any(isinstance(n, ast.Name) and n.id == name for part in scope.body for n in ast.walk(part))


def inner_calls(file: str, line: int) -> list[tuple[int, frozenset[str]]]:
    """(line, names of the keywords) of the calls in the function defined at `line`."""
    scope = _definition(file, line)
    if scope is None:
        return []
    return [
        (node.lineno, frozenset(keyword.arg or "**" for keyword in node.keywords))
        for part in scope.body
        for node in ast.walk(part)
        if isinstance(node, ast.Call)
    ]


def _definition(file: str, line: int) -> ast.FunctionDef | None:
    tree = tree_of(file)
    if tree is None:
        return None
    return next(
        (
            n
            for n in tree.nodes
            if isinstance(n, ast.FunctionDef)
            and min([n.lineno, *(d.lineno for d in n.decorator_list)]) <= line <= n.body[0].lineno
        ),
        None,
    )
