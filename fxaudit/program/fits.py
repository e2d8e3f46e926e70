"""Whether a program may train once more: a further fold, a fine-tuning after the pre-training, a grid of settings."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from fxaudit.program.plain import INNER
from fxaudit.program.ran import Ran
from fxaudit.program.source import of_text
from fxaudit.program.tree import Tree, are_alternatives, call_sites, constructions_of, tree_of

__all__ = ["OPTIMIZERS", "may_fit_again"]

CALLS = 4
"""So many functions are followed that one calls the other."""
OPTIMIZERS = frozenset(
    "ASGD Adadelta Adafactor Adagrad Adam AdamW Adamax LBFGS Muon NAdam RAdam RMSprop Rprop SGD SparseAdam".split()
)


def may_fit_again(files: Sequence[str], built: Sequence[tuple[str, int, str, int]], ran: Ran, kind: str) -> bool:
    """Whether the program says that another optimizer will be built, after one that was.

    That is: the optimizer was built in a loop, in a function that is called from another place as well, or a further
    one is built behind it, in the same function or by what that calls later.

    Args:
        files: The user's own files.
        built: (file, line, qualified function name, column) of the frames in which the optimizer was built, innermost
            first; -1 for a column that nobody knows.
        ran: File → the lines that were seen running.
        kind: The optimizer's class.
    """
    for file, line, function, column in built:
        tree = tree_of(file)
        statement = tree.statement_at(line) if tree is not None else None
        if tree is None or statement is None:
            continue
        if _is_in_a_loop(tree, statement) or _is_in_a_comprehension(statement, line, column, function):
            return True
        if _is_called_elsewhere(files, function, ran) or _is_built_behind(tree, statement, {kind, *OPTIMIZERS}, ran):
            return True
        if _is_built_later(files, tree, statement, {kind, *OPTIMIZERS}, ran):
            return True
    return False


def _is_built_later(files: Sequence[str], tree: Tree, statement: ast.stmt, kinds: set[str], ran: Ran) -> bool:
    """Whether a statement behind this one calls a function or makes an object of the program that builds one."""
    scope = tree.function(statement)
    waiting = [
        (part, CALLS)
        for part in tree.statements
        if part.lineno > (statement.end_lineno or statement.lineno)
        and tree.function(part) is scope
        and part.lineno not in ran.of(tree.file)
        and not isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not are_alternatives(tree, statement, part)
    ]
    known: set[str] = set()
    places = {(file, line) for file in files for _, line, *_ in constructions_of([file], kinds)}
    places |= {(file, line) for file in files for line in _chosen(file)}
    while waiting:
        part, left = waiting.pop()
        for name in _called(part) - known if left else ():
            known.add(name)
            for other, definition in _definitions(files, name):
                span = range(definition.lineno, (definition.end_lineno or definition.lineno) + 1)
                if any(file == other.file and line in span and line not in ran.of(file) for file, line in places):
                    return True
                waiting.append((definition, left - 1))
    return False


@of_text
def _chosen(file: str) -> frozenset[int]:
    """The lines at which the class of an optimizer is chosen by its name: `getattr(torch.optim, name)`,
    `OPTIMIZERS[name](…)`, `instantiate(config.optimizer, …)`."""
    tree = tree_of(file)
    found: set[int] = set()
    for call in tree.calls if tree is not None else ():
        match call:
            case ast.Call(func=ast.Name(id="getattr"), args=[module, *_]) if ast.unparse(module).endswith("optim"):
                found.add(call.lineno)
            case ast.Call(func=ast.Subscript(value=table)) if "optim" in ast.unparse(table).lower():
                found.add(call.lineno)
            case ast.Call(func=ast.Attribute(attr="instantiate") | ast.Name(id="instantiate"), args=[config, *_]):
                found |= {call.lineno} if "optim" in ast.unparse(config).lower() else set()
    return frozenset(found)


def _called(node: ast.AST) -> set[str]:
    """The names of the functions and classes that are called there."""
    calls = (part.func for part in ast.walk(node) if isinstance(part, ast.Call))
    return {getattr(called, "attr", getattr(called, "id", "")) for called in calls} - {""}


def _definitions(files: Sequence[str], name: str) -> Iterator[tuple[Tree, ast.stmt]]:
    """The functions of that name, and what builds an object of the class of that name."""
    for tree in filter(None, map(tree_of, files)):
        for node in tree.statements:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
                yield tree, node
            elif isinstance(node, ast.ClassDef) and node.name == name:
                yield from ((tree, part) for part in node.body if getattr(part, "name", "") == "__init__")


def _is_in_a_loop(tree: Tree, statement: ast.stmt) -> bool:
    scope = tree.function(statement)
    for node in tree.ancestors(statement):
        if node is scope:
            return False
        if isinstance(node, ast.For | ast.While | ast.AsyncFor):
            return True
    return False


def _is_in_a_comprehension(statement: ast.stmt, line: int, column: int, function: str) -> bool:
    """Whether a comprehension computes it, in a frame of its own or, from Python 3.12 on, in that of the function."""
    if function.rpartition(".")[2] in INNER - {"<lambda>"}:
        return True
    place = (line, column)
    for node in ast.walk(statement) if column >= 0 else ():
        match node:
            case ast.ListComp(elt=element) | ast.SetComp(elt=element) | ast.DictComp(value=element):
                begin, end = (
                    (element.lineno, element.col_offset),
                    (element.end_lineno or 0, element.end_col_offset or 0),
                )
                if begin <= place < end:
                    return True
    return False


def _is_called_elsewhere(files: Sequence[str], function: str, ran: Ran) -> bool:
    *outer, name = function.split(".")
    name = outer[-1] if name == "__init__" and outer else name
    if name.startswith("<"):
        return False
    return any(call.lineno not in ran.of(tree.file) for tree, call in call_sites(files, name))


def _is_built_behind(tree: Tree, statement: ast.stmt, kinds: set[str], ran: Ran) -> bool:
    scope = tree.function(statement)
    for _, line, *_ in constructions_of([tree.file], kinds):
        later = tree.statement_at(line)
        if later is None or line <= statement.lineno or line in ran.of(tree.file):
            continue
        if tree.function(later) is scope and not are_alternatives(tree, statement, later):
            return True
    return False
