"""Counts of samples where batches are meant: `steps_per_epoch=len(train_set)` beside `DataLoader(train_set, 16)`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass

from fxaudit.program.birth import Stations
from fxaudit.program.source import of_text
from fxaudit.program.tree import tree_of

__all__ = ["STEPS", "Counted", "counted_samples"]

STEPS = frozenset({"batches", "iter", "iteration", "iterations", "iters", "step", "steps", "updates"})
"""What is called so counts steps of the optimizer: `steps_per_epoch`, `total_iters`."""


@dataclass(frozen=True, slots=True)
class Counted:
    """The expression that counts the samples, and the line that makes batches of them."""

    text: str
    file: str
    line: int


def counted_samples(files: Iterable[str], file: str, node: ast.expr, stations: Stations) -> Counted | None:
    """What an expression counts, undivided, of which a loader makes batches, where what led here speaks of steps."""
    lengths = _whole_lengths(node)
    if not lengths or not (_counts_steps(_given_to(file, node)) or any(_counts_steps(said) for *_, said in stations)):
        return None
    loaders = [(other, loader) for other in files for loader in _loaders(other)]
    found = ((data, other, loader) for data in lengths for other, loader in loaders if loader.is_of(data))
    return next((Counted(f"len({data})", other, loader.line) for data, other, loader in found), None)


def _counts_steps(text: str) -> bool:
    return not STEPS.isdisjoint(re.split(r"[^a-z]+", text.lower()))


def _given_to(file: str, node: ast.expr) -> str:
    """The name of the variable, or of the argument, that gets the value."""
    tree = tree_of(file)
    outer = tree.parents.get(node) if tree is not None else None
    match outer:
        case ast.keyword(arg=str(name)):
            return name
        case ast.Assign(targets=[target]):
            return ast.unparse(target).rpartition(".")[2]
    return ""


def _whole_lengths(node: ast.AST) -> list[str]:
    """What an expression takes the length of, where that is not divided by anything."""
    match node:
        case ast.BinOp(op=ast.Div() | ast.FloorDiv()):
            return []
        case ast.Call(func=ast.Name(id="len"), args=[counted]):
            return [ast.unparse(counted)]
    return [text for part in ast.iter_child_nodes(node) for text in _whole_lengths(part)]


@dataclass(frozen=True, slots=True)
class _Loader:
    """What a `DataLoader` makes batches of, what it is called itself, and its line."""

    data: str
    name: str
    line: int

    def is_of(self, data: str) -> bool:
        """Whether the text names what the batches are made of, whoever holds it."""
        owner, _, last = data.rpartition(".")
        if last == "dataset" and self.name:
            return _last(owner) == self.name
        return last == self.data


@of_text
def _loaders(file: str) -> list[_Loader]:
    """The loaders that make batches of several samples."""
    tree = tree_of(file)
    found: list[_Loader] = []
    for call in tree.calls if tree is not None else ():
        named = {keyword.arg: keyword.value for keyword in call.keywords}
        size = named.get("batch_size", call.args[1] if len(call.args) > 1 else None)
        given = call.args[0] if call.args else named.get("dataset")
        is_one = size is None or (isinstance(size, ast.Constant) and size.value in (None, 1))
        if getattr(call.func, "attr", getattr(call.func, "id", "")) != "DataLoader" or given is None or is_one:
            continue
        statement = tree.statement(call) if tree is not None else None
        name = ast.unparse(statement.targets[0]) if isinstance(statement, ast.Assign) else ""
        found.append(_Loader(_last(ast.unparse(given)), _last(name), call.lineno))
    return found


def _last(text: str) -> str:
    return text.rpartition(".")[2]
