"""Whether a program may train once more: a further fold, a fine-tuning after the pre-training, a grid of settings."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from fxaudit.program.plain import INNER
from fxaudit.program.ran import Ran
from fxaudit.program.tree import Tree, are_alternatives, call_sites, constructions_of, tree_of

__all__ = ["OPTIMIZERS", "may_fit_again"]

OPTIMIZERS = frozenset(
    "ASGD Adadelta Adafactor Adagrad Adam AdamW Adamax LBFGS Muon NAdam RAdam RMSprop Rprop SGD SparseAdam".split()
)


def may_fit_again(files: Sequence[str], built: Sequence[tuple[str, int, str, int]], ran: Ran, kind: str) -> bool:
    """Whether the program says that another optimizer will be built, after one that was.

    That is: the optimizer was built in a loop, in a function that is called from another place as well, or a further
    one is built behind it.

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
    return False


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
