"""The mistakes that `python -m tools.mutants` makes on purpose: each changes the file, and is what the tests import."""

from __future__ import annotations

import ast

import pytest

from tools import mutants

FILE = "program/flow.py"


def test_every_mutant_is_another_program() -> None:
    for file in (FILE, "judge/cut_rule.py"):
        text = ast.dump(ast.parse((mutants.ROOT / "fxaudit" / file).read_text("utf-8")))
        found = mutants.mutants_of(file)
        assert len(found) > 20
        assert not [str(mutant) for mutant in found if ast.dump(mutant.tree()) == text]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("def f(x: int = None) -> bool: return False", 1),  # True, and not None
        ("def f(): return None", 0),
        ("@dataclass(frozen=True)\nclass C: pass", 0),
        ("x = zip(a, b, strict=True)", 0),
        ("zip(a, b, strict=True)", 1),  # left out as a whole
        ("if a == b: pass", 1),
    ],
)
def test_what_nobody_could_tell_apart_is_no_mutant(text: str, count: int) -> None:
    tree = ast.parse(text)
    unrun = {id(part) for outer in mutants._meaningless(tree) for part in ast.walk(outer)}
    changes = [change for node in ast.walk(tree) if id(node) not in unrun for change in mutants._changes(node)]
    assert len(changes) == count


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("a == b", ["a != b"]),
        ("a < b", ["a <= b"]),
        ("a or b", ["a and b"]),
        ("a + 1", ["a - 1", "a + 2"]),
        ("a & b", ["a | b"]),
        ("x = True", ["x = False"]),
        ("x = 1 if a else b", ["x = 1 if not a else b", "x = 2 if a else b"]),
        ("if a is b: pass", ["if a is not b:\n    pass"]),
        ("def f():\n    return a", ["def f():\n    return None"]),
        ("while a:\n    break", ["while not a:\n    break", "while a:\n    pass"]),
    ],
)
def test_what_is_changed(text: str, made: list[str]) -> None:
    found = []
    for at, node in enumerate(ast.walk(ast.parse(text))):
        for change, _ in enumerate(mutants._changes(node)):
            tree = ast.parse(text)
            same = next(part for number, part in enumerate(ast.walk(tree)) if number == at)
            list(mutants._changes(same))[change]()
            found.append(ast.unparse(ast.fix_missing_locations(tree)))
    assert sorted(found) == sorted(made)


@pytest.mark.slow
def test_the_tests_run_with_the_mutant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutants, "TESTS", ("tests/test_flow.py::test_walks_meet_each_node_once_and_the_nearest_first",))
    deadly = next(mutant for mutant in mutants.mutants_of(FILE) if "after not in seen" in str(mutant))
    assert mutants._in_a_copy(lambda: mutants._fails(None)) == 0
    assert mutants._in_a_copy(lambda: mutants._fails(mutants.Finder(deadly))) != 0
