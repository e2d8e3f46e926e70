"""Statements of the user's program that may put old values back into parameters, in a loop."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Sequence

from fxaudit.program.ran import Ran
from fxaudit.program.tree import Tree, call_sites, tree_of

__all__ = [
    "CALLERS",
    "begins_a_trial",
    "comes_now_and_then",
    "is_drawn_each_time",
    "is_handed_on",
    "is_repeated",
    "loads_a_file",
    "loops_around",
    "loops_at",
    "may_be_put_back",
    "sites",
]

WRITING = frozenset({"copy_", "lerp_", "mul_", "set_"})
"""The methods that give a tensor other numbers in place."""
OTHERS = ("opt", "sched", "scaler", "ema")
"""What else has a `load_state_dict`, by parts of its name."""
CALLERS = 3
"""So many functions are gone outwards from a statement to find a loop."""
TRIALS = frozenset(
    "attempt candidate config fold hparams lr rate repeat restart run seed setting split task trial wd".split()
)
"""How the variable of a loop is called of which each round is a training of its own."""
EPOCHS = frozenset({"ep", "epoch", "epochs"})
"""How the variable of a loop is called of which each round goes on with the training."""
GRIDS = frozenset({"ParameterGrid", "ParameterSampler", "geomspace", "linspace", "logspace", "product"})
"""What gives the settings of such trainings."""


def may_be_put_back(files: Sequence[str], ran: Ran) -> bool:
    """Whether the program has, in a loop, or in a function that one calls, a statement that may put old values into
    parameters, and that is not among what ran."""
    return next(sites(files, ran), None) is not None


def loads_a_file(places: Sequence[tuple[str, int]]) -> bool:
    """Whether the innermost of the places is a `load_state_dict` of what a `load` reads there: `torch.load(path)`."""
    tree = tree_of(places[0][0]) if places else None
    statement = tree.statement_at(places[0][1]) if tree is not None else None
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="load_state_dict"), args=[given, *_])):
            calls = [node.func for node in ast.walk(given) if isinstance(node, ast.Call)]
            return any(getattr(called, "attr", getattr(called, "id", "")).startswith("load") for called in calls)
    return False


def is_drawn_each_time(places: Sequence[tuple[str, int]], around: Collection[tuple[str, int]]) -> bool:
    """Whether the innermost of the places writes into what is there already, as an initializer does, and each round of
    one of the loops comes there: no test decides it, but one of what is written (`if isinstance(m, nn.Linear):`).

    The loop has to be one of epochs, by the name of its variable: of most others (members, folds, subjects, images,
    restarts) each round may be a training of its own.
    """
    for depth, (file, line) in enumerate(places):
        tree = tree_of(file)
        statement = tree.statement_at(line) if tree is not None else None
        if tree is None or statement is None or (not depth and not _initializes(statement)):
            return False
        for outer in tree.ancestors(statement):
            match outer:
                case ast.For() | ast.While() if (file, outer.lineno) in around:
                    return isinstance(outer, ast.For) and _is_of_epochs(outer)
                case ast.FunctionDef(name="__init__"):
                    return False
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    break  # its caller is the next place
                case ast.If(test=test) if depth or not _asks_of_what_is_written(tree, test, statement):
                    return False
    return False


def comes_now_and_then(
    places: Sequence[tuple[str, int]], around: set[tuple[str, int]], steps: Sequence[tuple[str, int]]
) -> bool:
    """Whether a statement comes after the step in one of the loops, or in every so many rounds (`step % every == 0`):
    with what comes first in each round a training of its own may begin.

    Args:
        places: (file, line) of the statement and of its callers, the innermost first.
        around: The loops.
        steps: The same of the step.
    """
    if around.isdisjoint(loops_at(places)):
        return False
    for file, line in places:
        tree = tree_of(file)
        statement = tree.statement_at(line) if tree is not None else None
        for outer in tree.ancestors(statement) if tree is not None and statement is not None else ():
            match outer:
                case ast.If(test=test) if any(isinstance(part, ast.Mod) for part in ast.walk(test)):
                    return True
                case ast.For() | ast.While() if (file, outer.lineno) in around:
                    last = outer.end_lineno or 0
                    return any(other == file and outer.lineno <= at <= last and at < line for other, at in steps)
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    break
    return False


def _is_of_epochs(loop: ast.For) -> bool:
    names = (node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name))
    return any(not EPOCHS.isdisjoint(name.lower().split("_")) for name in names)


def _initializes(statement: ast.stmt) -> bool:
    """Whether it calls a method or a function that writes in place, or one that sets all parameters of a module."""
    calls = (node.func for node in ast.walk(statement) if isinstance(node, ast.Call))
    names = [called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "") for called in calls]
    return any(name.endswith("_") or name.startswith(("reset_param", "_reset_param")) for name in names)


def _asks_of_what_is_written(tree: Tree, test: ast.expr, statement: ast.stmt) -> bool:
    """Whether the test asks something of a name in the statement, or of what is made of one."""
    written = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
    asked = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)}
    asked |= {node.id for given in _bound_to(tree, test) for node in ast.walk(given) if isinstance(node, ast.Name)}
    return not written.isdisjoint(asked)


def loops_at(places: Iterable[tuple[str, int]]) -> set[tuple[str, int]]:
    """(file, line) of the loops in which one of the places stands: a statement, or one of its callers."""
    trees = ((file, line, tree_of(file)) for file, line in places)
    return {(file, loop) for file, line, tree in trees if tree is not None for loop in tree.loops_at(line)}


def sites(files: Sequence[str], ran: Ran) -> Iterator[tuple[Tree, ast.stmt | ast.expr]]:
    """The statements, or calls, of that kind; where one writes into what its function was given, and ran for another
    caller (a target network that begins as a copy), the calls of that function."""
    for tree in filter(None, map(tree_of, files)):
        for node in _writes(tree):
            has_run = node.lineno in ran.of(tree.file)
            for other, place in _calls_of_the_writer(files, tree, node) if has_run else [(tree, node)]:
                if place.lineno not in ran.of(other.file) and is_repeated(files, other, place, CALLERS):
                    yield other, place


def _calls_of_the_writer(files: Sequence[str], tree: Tree, node: ast.AST) -> Iterator[tuple[Tree, ast.stmt | ast.expr]]:
    scope, statement = tree.function(node), tree.statement(node)
    if isinstance(scope, ast.FunctionDef) and statement is not None and is_handed_on(tree, statement):
        yield from call_sites(files, scope.name)


def begins_a_trial(places: Sequence[tuple[str, int]]) -> bool:
    """Whether a statement stands, behind no test, in a loop over settings, of which each round is a training of its
    own: a grid of rates, seeds, folds.

    Args:
        places: (file, line) of the statement and of its callers, the innermost first.
    """
    for file, line in places:
        tree = tree_of(file)
        statement = tree.statement_at(line) if tree is not None else None
        loops: list[ast.For] = []
        for outer in tree.ancestors(statement) if tree is not None and statement is not None else ():
            match outer:
                case ast.If() | ast.While():
                    return False
                case ast.For(iter=through) if "param" not in ast.unparse(through):
                    loops.append(outer)
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    break
        if loops and tree is not None:
            return all(_is_over_settings(tree, loop) for loop in loops)
    return False


def _is_over_settings(tree: Tree, loop: ast.For) -> bool:
    if isinstance(loop.target, ast.Name) and not TRIALS.isdisjoint(loop.target.id.lower().split("_")):
        return True
    return any(_are_settings(given) for given in (loop.iter, *_bound_to(tree, loop.iter)))


def _bound_to(tree: Tree, through: ast.expr) -> Iterator[ast.expr]:
    """What the file gives the name, or the attribute of its own, that a loop goes through."""
    names = {node.id for node in ast.walk(through) if isinstance(node, ast.Name)}
    own = {ast.unparse(node) for node in ast.walk(through) if isinstance(node, ast.Attribute)}
    for node in tree.statements:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in names:
                yield value
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self")) as target], value=value):
                if ast.unparse(target) in own:
                    yield value


def _are_settings(given: ast.expr) -> bool:
    """Whether it is a display of several constants that differ, or of such displays, or a grid."""
    match given:
        case ast.Tuple(elts=[_, _, *_] as parts) | ast.List(elts=[_, _, *_] as parts):
            texts = {ast.unparse(part) for part in parts}
            return len(texts) == len(parts) and all(_is_constant(part) for part in parts)
        case ast.Dict(values=[_, _, *_]):
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args):
            return name in GRIDS or (name in ("enumerate", "list", "tuple") and any(map(_are_settings, args)))
    return False


def _is_constant(node: ast.expr) -> bool:
    return all(
        isinstance(n, ast.Constant | ast.Tuple | ast.List | ast.Dict | ast.expr_context | ast.UnaryOp | ast.unaryop)
        for n in ast.walk(node)
    )


def is_handed_on(tree: Tree, statement: ast.stmt) -> bool:
    """Whether what the statement writes into is something that its function was given: who calls it decides."""
    scope = tree.function(statement)
    if not isinstance(scope, ast.FunctionDef):
        return False
    arguments = {a.arg for a in (*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs)} - {"self", "cls"}
    roots = _written(statement)
    for loop in (outer for outer in tree.ancestors(statement) if isinstance(outer, ast.For)):
        targets = {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}
        if roots & targets:
            roots |= {node.id for node in ast.walk(loop.iter) if isinstance(node, ast.Name)}
    return bool(roots & arguments)


def _written(statement: ast.stmt) -> set[str]:
    """The names of what the statement writes into, where no member of it is chosen."""
    match statement:
        case ast.Assign(targets=[ast.Attribute() as written]):
            owner: ast.expr = written
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Attribute(attr="init")), args=[written, *_])):
            owner = written  # `nn.init.normal_(m.weight)`
        case ast.Expr(value=ast.Call(func=ast.Attribute() as written)):
            owner = written
        case ast.Return(value=ast.Call(func=ast.Name(), args=[written, *_])):
            owner = written  # a helper that asks another one
        case _:
            return set()
    while isinstance(owner, ast.Attribute | ast.Call):
        owner = owner.value if isinstance(owner, ast.Attribute) else owner.func
    return {owner.id} if isinstance(owner, ast.Name) else set()


def _writes(tree: Tree) -> Iterator[ast.stmt | ast.expr]:
    for node in tree.nodes:
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr="load_state_dict")):
                name = ast.unparse(owner).rpartition(".")[2].lower()
                if not any(part in name for part in OTHERS):
                    yield node
            case ast.Call(func=ast.Attribute(attr=name)) if name in WRITING and _goes_through_parameters(tree, node):
                yield node
            case ast.Assign(targets=[ast.Attribute(attr="data")]) if _goes_through_parameters(tree, node):
                yield node


def _goes_through_parameters(tree: Tree, node: ast.AST) -> bool:
    loops = [outer for outer in tree.ancestors(node) if isinstance(outer, ast.For)]
    through = [ast.unparse(part) for loop in loops for part in (loop.iter, *_bound_to(tree, loop.iter))]
    return any("param" in text or "state_dict" in text for text in through)


def is_repeated(files: Sequence[str], tree: Tree, node: ast.AST, callers: int) -> bool:
    """Whether a loop goes round the statement, that over the parameters themselves left out, or round a call of its
    function."""
    return next(loops_around(files, tree, node, callers), None) is not None


def loops_around(files: Sequence[str], tree: Tree, node: ast.AST, callers: int) -> Iterator[tuple[Tree, ast.stmt]]:
    """These loops."""
    for outer in tree.ancestors(node):
        if isinstance(outer, ast.While) or (isinstance(outer, ast.For) and "param" not in ast.unparse(outer.iter)):
            yield tree, outer
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
            for other, call in _calls(files, outer.name) if callers else ():
                yield from loops_around(files, other, call, callers - 1)
            return


def _calls(files: Sequence[str], name: str) -> Iterator[tuple[Tree, ast.Call]]:
    """The calls of a function of that name, and those that are given its name as a text, by which something else calls
    it: `self.emit("on_epoch_end")`."""
    yield from call_sites(files, name)
    for tree in filter(None, map(tree_of, files)):
        for call in tree.calls:
            match call:
                case ast.Call(args=[ast.Constant(value=given), *_]) if given == name:
                    yield tree, call
