"""A start that was multiplied to steps of the optimizer, and is compared with the rounds of the schedule, epochs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from fxaudit.capture.recording import Record
from fxaudit.capture.registry import OptimizerInfo
from fxaudit.judge.trail import source_at
from fxaudit.program.births import Births
from fxaudit.program.course import Sight
from fxaudit.program.evaluation import evaluated
from fxaudit.program.samples import STEPS
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Tree, is_zero, tests_leading_to, tree_of
from fxaudit.program.values import first_line

__all__ = ["COUNT_ROUNDS", "steps_for_rounds"]

COUNT_ROUNDS = (
    "Do not multiply: `{}` counts steps, and the schedule is advanced once in a round, so that it never comes."
)
ROUNDS = frozenset({"epoch", "epochs", "round", "rounds"})
"""What is called so is a round through the data."""

Function = ast.FunctionDef | ast.Lambda
Told = tuple[SourceLine, list[tuple[SourceLine | None, str]], str]


def steps_for_rounds(record: Record, info: OptimizerInfo) -> Told | None:
    """The line that multiplies a number of rounds by how often the optimizer steps in each, what is related to it, and
    the product, where a function of the schedule gives 0 until so many rounds, and without the product would not.

    Where anything else of the schedule counts steps, the call that advances it may be wrong.
    """
    if not info.scheduler_steps or not info.schedulers:
        return None
    rounds = info.scheduler_steps
    for tree, function in _factors(info):
        for sight, test, bound in _waits(record, tree, function):
            limit = evaluated(bound, sight.read)
            if type(limit) is not int:
                continue
            birth = Births(record.course).back(sight, bound, limit)
            made = tree_of(birth.file) if birth is not None and birth.kind == "computed" else None
            if birth is None or made is None or _counts_steps(function, bound):
                continue
            for product, few, many in _products(record, made, birth.line, birth.text, limit):
                # It would have come by now; and the other number is that of the steps between two rounds.
                if few <= rounds < limit and many > 1 and many * rounds <= info.steps <= many * (rounds + 1):
                    here = source_at(tree.file, test.lineno)
                    told: list[tuple[SourceLine | None, str]] = [
                        (source_at(file, line), role) for file, line, role in reversed(birth.stations)
                    ]
                    asked = f"`{ast.unparse(test)}` counts rounds here, of {many} steps each"
                    return source_at(birth.file, product.lineno), [*told, (here, asked)], birth.text
    return None


def _factors(info: OptimizerInfo) -> Iterator[tuple[Tree, Function]]:
    """The functions that give the factors of the scheduler to blame."""
    for file, line in info.factors.get(info.zeroed_by % len(info.schedulers), ()):
        tree = tree_of(file)
        for node in tree.nodes if tree is not None else ():
            if tree is not None and isinstance(node, Function) and first_line(node) == line:
                yield tree, node


def _waits(record: Record, tree: Tree, function: Function) -> Iterator[tuple[Sight, ast.Compare, ast.expr]]:
    """(pass, test, limit) of the comparisons of the function's counter of rounds that led to a 0 in each of its
    passes."""
    counters = {argument.arg for argument in function.args.args if _speaks(argument.arg, ROUNDS)}
    for test, gave in _tests(tree, function):
        match test:
            case ast.Compare(left=ast.Name(id=name), ops=[ast.Lt() | ast.GtE()], comparators=[limit]):
                pass
            case ast.Compare(left=limit, ops=[ast.Gt() | ast.LtE()], comparators=[ast.Name(id=name)]):
                pass
            case _:
                continue
        passes = [sight for sight in record.course.at(tree.file, test.lineno) if name in sight.read]
        if name in counters and passes and all(evaluated(test, sight.read) is gave for sight in passes):
            yield passes[-1], test, limit


def _tests(tree: Tree, function: Function) -> Iterator[tuple[ast.expr, bool]]:
    """(test, what it gave) of the tests by which the function comes to a 0."""
    for node in ast.walk(function):
        match node:
            case ast.Return(value=value) if is_zero(value):
                yield from ((test, gave) for _, test, gave in tests_leading_to(tree, node))
            case ast.IfExp(test=test, body=body, orelse=orelse) if is_zero(body) != is_zero(orelse):
                yield test, is_zero(body)


def _products(record: Record, tree: Tree, line: int, text: str, limit: int) -> Iterator[tuple[ast.BinOp, int, int]]:
    """(product, one factor, the other) of the product of that text, and that worth, in the statement at `line`, where
    its function multiplies nothing else by that other factor, and does not return the product: a helper that counts
    steps may be right."""
    statement = tree.statement_at(line)
    if statement is None or isinstance(statement, ast.Return):
        return
    scope = tree.function(statement) or tree.root
    others = [n for n in ast.walk(scope) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Mult)]
    for product in ast.walk(statement):
        if not isinstance(product, ast.BinOp) or product not in others or ast.unparse(product) != text:
            continue
        for sight in record.course.at(tree.file, statement.lineno):
            if evaluated(product, sight.read) != limit:
                continue
            for few, many in ((product.left, product.right), (product.right, product.left)):
                factor = ast.unparse(many)
                used = [other for other in others if factor in (ast.unparse(other.left), ast.unparse(other.right))]
                pair = (evaluated(few, sight.read), evaluated(many, sight.read))
                if len(used) == 1 and type(pair[0]) is int and type(pair[1]) is int:
                    yield product, pair[0], pair[1]
            break


def _counts_steps(function: Function, limit: ast.expr) -> bool:
    """Whether the function names anything but the limit that counts steps: the end of the schedule, say."""
    inside = {node for part in ast.walk(function) if ast.unparse(part) == ast.unparse(limit) for node in ast.walk(part)}
    named = [node for node in ast.walk(function) if isinstance(node, ast.Name | ast.Attribute) and node not in inside]
    return any(_speaks(getattr(node, "id", getattr(node, "attr", "")), STEPS) for node in named)


def _speaks(name: str, words: frozenset[str]) -> bool:
    return not words.isdisjoint(re.split(r"[^a-z]+", name.lower()))
