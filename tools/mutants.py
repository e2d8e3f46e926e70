"""Small mistakes made on purpose in what judges, and how many of them the recordings and the unit tests notice.

    python -m tools.mutants [COUNT [SEED [RECORDINGS]]]

A mutant is a file with one operator, constant, condition or statement changed; COUNT of all are drawn. With each the
recordings of `python -m tools.recordings record`, or so many of them, are judged until an answer is another one, or
judging fails; then the tests in TESTS run with it. What neither notices is printed: a test is missing there, or the
code does nothing.

Left out is what means the same to whoever calls: options of decorators, `zip(strict=…)`, a `return` of nothing in place
of one of False, and the negation of a comparison where the comparison itself is negated already.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.abc
import importlib.util
import os
import random
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

__all__ = ["Mutant", "main", "mutants_of"]

ROOT = Path(__file__).resolve().parents[1]
FILES = ("judge/verdict.py", "judge/graph.py", "judge/cut_rule.py", "judge/trail.py", "program/flow.py")
TESTS = (
    "tests/test_step_graph.py",
    "tests/test_trail.py",
    "tests/test_verdicts.py",
    "tests/test_graph.py",
    "tests/test_one_batch.py",
    "tests/test_paths.py",
    "tests/test_flow.py",
    "tests/test_life.py",
    "tests/test_oracle.py",
    "tests/test_lines_and_words.py",
)
SECONDS = 120
"""Of work, not of waiting, after which judging is taken to be without end."""
SEEN = ("other answers", "failures", "tests")
Answer = tuple[Path, str, dict[str, object]]

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


@dataclass(frozen=True)
class Mutant:
    """One mistake in a file: in which node of its tree, in the order of `ast.walk`, and which of its changes."""

    file: str
    node: int
    change: int

    def tree(self) -> ast.Module:
        """The whole file with the mistake."""
        return ast.fix_missing_locations(self._made()[0])

    def __str__(self) -> str:
        _, node, was = self._made()
        return f"fxaudit/{self.file}:{getattr(node, 'lineno', 0)}: {was}  →  {ast.unparse(node)}"

    def _made(self) -> tuple[ast.Module, ast.AST, str]:
        tree = ast.parse((ROOT / "fxaudit" / self.file).read_text("utf-8"))
        node = next(node for at, node in enumerate(ast.walk(tree)) if at == self.node)
        was = ast.unparse(node)
        list(_changes(node))[self.change]()
        return tree, node, was


def mutants_of(file: str) -> list[Mutant]:
    """All mutants of a file."""
    tree = ast.parse((ROOT / "fxaudit" / file).read_text("utf-8"))
    unrun = {id(part) for outer in _meaningless(tree) for part in ast.walk(outer)}
    nodes = [(at, node) for at, node in enumerate(ast.walk(tree)) if id(node) not in unrun]
    return [Mutant(file, at, change) for at, node in nodes for change, _ in enumerate(_changes(node))]


def _meaningless(tree: ast.Module) -> Iterator[ast.AST]:
    """Annotations, which are never run; options of decorators and of `zip`."""
    for node in ast.walk(tree):
        for kind in ("annotation", "returns"):
            if isinstance(annotation := getattr(node, kind, None), ast.AST):
                yield annotation
        yield from (one for one in getattr(node, "decorator_list", ()) if isinstance(one, ast.Call))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "zip":
            yield from node.keywords


def _changes(node: ast.AST) -> Iterator[Callable[[], None]]:
    """What can be done to a node in its place: functions without arguments."""

    def put(name: str, value: object) -> Callable[[], None]:
        return lambda: setattr(node, name, value)

    match node:
        case ast.Compare(ops=[operator]) if type(operator) in COMPARISONS:
            yield put("ops", [COMPARISONS[type(operator)]()])
        case ast.BoolOp(op=operator):
            yield put("op", ast.And() if isinstance(operator, ast.Or) else ast.Or())
        case ast.BinOp(op=ast.Add()):
            yield put("op", ast.Sub())
        case ast.BinOp(op=ast.Sub()):
            yield put("op", ast.Add())
        case ast.BinOp(op=ast.BitOr() | ast.BitAnd() as operator):
            yield put("op", ast.BitAnd() if isinstance(operator, ast.BitOr) else ast.BitOr())
        case ast.Constant(value=bool() as value):
            yield put("value", not value)
        case ast.Constant(value=int() as value):
            yield put("value", value + 1)
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test) if not _is_negated_itself(test):
            yield put("test", ast.UnaryOp(ast.Not(), test))
        case ast.Return(value=ast.Constant(value=None | False)):
            pass
        case ast.Return(value=ast.expr()):
            yield put("value", ast.Constant(None))
        case ast.Continue() | ast.Break():
            yield lambda: setattr(node, "__class__", ast.Pass)
        case ast.Expr(value=ast.Call()):
            yield put("value", ast.Constant(None))


def _is_negated_itself(test: ast.expr) -> bool:
    negated = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn)
    return isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], negated)


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports a mutant in place of its file."""

    def __init__(self, mutant: Mutant) -> None:
        self.path = ROOT / "fxaudit" / mutant.file
        self.name = "fxaudit." + mutant.file.removesuffix(".py").replace("/", ".")
        self.mutant = mutant

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> object:
        """The mutant's own spec; None for all other modules."""
        return importlib.util.spec_from_file_location(name, self.path, loader=self) if name == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        """Run the mutant."""
        exec(compile(self.mutant.tree(), str(self.path), "exec"), vars(module))


def _import_anew() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in ("fxaudit", "tests", "tools")]:
        if name != __name__:
            del sys.modules[name]


def noticed(mutant: Mutant, answers: list[Answer]) -> str:
    """What notices a mutant: one of `SEEN`; "" where nothing does."""
    found = _in_a_copy(lambda: _differs(Finder(mutant), answers))
    if found:
        return "other answers" if found == 1 else "failures"
    return "tests" if _in_a_copy(lambda: _fails(Finder(mutant))) else ""


def _in_a_copy(work: Callable[[], int]) -> int:
    """The status of a copy of this process that does `work`."""
    child = os.fork()
    if child == 0:
        os._exit(work())
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _differs(finder: Finder | None, answers: list[Answer]) -> int:
    """1 where some recording is judged otherwise than without the mistake; 2 where judging it fails.

    Judging without end is ended by a signal.
    """
    try:
        _begin(finder, SECONDS)
        recordings = importlib.import_module("tools.recordings")
        for path, mode, answer in answers:
            if recordings.judged.answer(recordings.report_of(path, mode), path) != answer:
                return 1
    except Exception:
        return 2
    return 0


def _fails(finder: Finder | None) -> int:
    """Not 0 where a test fails."""
    import pytest

    class Plugin:
        """Puts the mutant in front of pytest's own importer, which is there by then."""

        def pytest_configure(self) -> None:
            """Begin."""
            _begin(finder, SECONDS * 5)

    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1), os.dup2(silence, 2)
    os.chdir(ROOT)
    _import_anew()
    return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *TESTS], plugins=[Plugin()]))


def _begin(finder: Finder | None, seconds: int) -> None:
    """In a copy: from here on the mutant is what is imported."""
    for number, timer, patience in ((signal.SIGPROF, signal.ITIMER_PROF, 1), (signal.SIGALRM, signal.ITIMER_REAL, 10)):
        signal.signal(number, signal.SIG_DFL)
        signal.setitimer(timer, seconds * patience)
    _import_anew()
    if finder is not None:
        sys.meta_path.insert(0, finder)


def answers_to(count: int, draw: random.Random) -> list[Answer]:
    """What is said, without any mistake, of so many of the recordings: of those of which the record says the same."""
    recordings = importlib.import_module("tools.recordings")
    on_record = recordings.judged.answers_on_record()
    modes = [(path, mode) for path in recordings.PROGRAMS for mode in recordings.judged.modes_of(path)]
    there = [(path, mode) for path, mode in modes if recordings.file_of(path, mode).exists()]
    said = []
    for path, mode in draw.sample(there, min(count, len(there))):
        with contextlib.suppress(Exception):
            said.append((path, mode, recordings.judged.answer(recordings.report_of(path, mode), path)))
    return [one for one in said if on_record.get(recordings.judged.name_of(one[0]), {}).get(one[1]) == one[2]]


def main(arguments: list[str]) -> int:
    """Draw mutants and print which were not noticed."""
    count, seed, judged = [*map(int, arguments), *(100, 1, 10_000)[len(arguments) :]]
    draw = random.Random(seed)
    mutants = [mutant for file in FILES for mutant in mutants_of(file)]
    drawn = draw.sample(mutants, min(count, len(mutants)))
    os.environ["FXAUDIT_STRICT"] = "1"
    answers = answers_to(judged, draw)
    assert not _in_a_copy(lambda: _differs(None, answers)), "something differs without any mistake"
    assert not _in_a_copy(lambda: _fails(None)), "a test fails without any mistake"
    seen = dict.fromkeys([*SEEN, ""], 0)
    for mutant in drawn:
        by = noticed(mutant, answers)
        seen[by] += 1
        if not by:
            print(f"Not noticed: {mutant}", flush=True)
    number = sum(seen.values())
    print(
        f"{number - seen['']} of {number} mutants, of {len(mutants)} in all, were noticed: {seen['other answers']} by "
        f"another answer to one of {len(answers)} recordings, {seen['failures']} because judging one failed or did not "
        f"end, {seen['tests']} by tests (seed {seed})."
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
