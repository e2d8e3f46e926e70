"""Where a value comes from, in the text of a program."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest

from fxaudit.program.gradients import gradient_writes
from fxaudit.program.groups import groups_listed
from fxaudit.program.tree import Tree, tree_of
from fxaudit.program.values import Origin, has_rounds, joined_strings, origins, origins_of_test


@pytest.fixture
def parsed(tmp_path: Path):
    def parse(source: str) -> Tree:
        path = tmp_path / f"program{len(list(tmp_path.iterdir()))}.py"
        path.write_text(textwrap.dedent(source).strip() + "\n", encoding="utf-8")
        tree = tree_of(str(path))
        assert tree is not None
        return tree

    return parse


def behind(tree: Tree, line: int) -> list[Origin]:
    """What the expression of the statement at `line` goes back to."""
    statement = tree.statement_at(line)
    return origins([], tree, getattr(statement, "value", statement))


def lines(found: list[Origin]) -> list[int]:
    return [origin.line for origin in found]


def test_a_name_is_followed_through_assignments_of_its_function(parsed):
    tree = parsed(
        """
        def f():
            b = 1
            a = 2 * b
            return a

        a = 7
        """
    )
    assert lines(behind(tree, 4)) == [3, 2]


def test_an_argument_is_followed_to_the_callers_and_the_default(parsed):
    tree = parsed(
        """
        def f(x, rate=0.0):
            return rate

        f(1, 5)
        f(1, rate=6)
        f(1)
        """
    )
    assert lines(behind(tree, 2)) == [4, 5, 1]


def test_an_argument_of_a_method_is_followed_to_the_construction(parsed):
    tree = parsed(
        """
        class Schedule:
            def __init__(self, steps):
                self.steps = steps

            def now(self):
                return 1 / self.steps

        Schedule(4)
        """
    )
    found = behind(tree, 6)
    assert lines(found) == [3, 8]
    assert [origin.is_handed_on for origin in found] == [True, False]


def test_an_attribute_is_followed_to_class_bodies_and_options(parsed):
    tree = parsed(
        """
        class Config:
            max_lr: float = 0.0

        parser.add_argument("--max-lr", default=0.1)
        rate = config.max_lr
        """
    )
    found = behind(tree, 5)
    assert sorted(lines(found)) == [2, 4]
    assert [origin.is_nothing for origin in sorted(found, key=lambda o: o.line)] == [True, False]


def test_an_entry_is_followed_to_dictionaries_and_assignments(parsed):
    tree = parsed(
        """
        config = {"lr": 0.1, "steps": 3}
        other = dict(lr=0.2)
        config["lr"] = 0
        rate = given["lr"]
        """
    )
    assert sorted(lines(behind(tree, 4))) == [1, 2, 3]


def test_a_call_is_followed_to_what_the_function_returns(parsed):
    tree = parsed(
        """
        class Log:
            def veto(self):
                print("no")

        class Limit:
            def veto(self):
                return self.count > 3

        if callback.veto():
            pass
        """
    )
    found = origins_of_test([], tree.file, 9)
    assert [(origin.line, origin.is_nothing) for origin in found] == [(2, True), (7, False)]


def test_a_value_set_in_a_branch_is_not_unconditional(parsed):
    tree = parsed(
        """
        if new:
            count = 0
        total = count
        """
    )
    assert [(o.line, o.is_nothing, o.is_unconditional) for o in behind(tree, 3)] == [(2, True, False)]


def test_what_goes_round_in_circles_comes_to_an_end(parsed):
    tree = parsed(
        """
        a = b
        b = a
        c = a
        """
    )
    assert sorted(lines(behind(tree, 3))) == [1, 2]


@pytest.mark.parametrize(
    ("count", "certain"), [("3", True), ("0", False), ("epochs", True), ("limit", False), ("len(data)", False)]
)
def test_a_range_has_rounds_if_its_number_is_above_zero_wherever_it_is_given(parsed, count, certain):
    tree = parsed(
        f"""
        def train(epochs=2, limit=0):
            for epoch in range({count}):
                pass

        train(limit=5)
        """
    )
    assert has_rounds([], tree.file, 2) is certain


def test_two_strings_on_two_lines_without_a_comma_are_found(parsed):
    tree = parsed(
        """
        names = [
            "head",
            "neck"
            "body",
        ]
        good = ["head", "neck"]
        """
    )
    entry = joined_strings(tree.root.body[0].value)
    assert entry is not None and entry.lineno == 3
    assert joined_strings(tree.root.body[1].value) is None


def test_statements_that_write_gradients_are_found(parsed):
    tree = parsed(
        """
        p.grad = g
        p.grad.copy_(g)
        p.grad += g
        p.grad.data.add_(g)
        p.grad[0] = 0
        p.grad = None
        p.grad.zero_()
        g = p.grad
        """
    )
    assert [node.lineno for _, node in gradient_writes([tree.file])] == [1, 2, 3, 4, 5]


def test_the_groups_that_a_statement_lists_are_told_one_by_one(parsed):
    tree = parsed(
        """
        optimizer = AdamW(
            [
                {"params": a, "lr": 1},
                dict(params=b),
            ]
        )
        other = SGD([c, d])
        """
    )
    assert [ast.unparse(value) for value in groups_listed(tree.file, 1)] == ["a", "b"]
    assert groups_listed(tree.file, 7) == []


def test_a_value_that_something_is_computed_from_is_not_direct(parsed):
    tree = parsed(
        """
        table = [1.0, 0.0]
        step = 0
        chosen = step
        weight = table[chosen]
        same = weight
        """
    )
    assert {(o.name, o.is_direct) for o in behind(tree, 5)} == {
        ("weight", True),
        ("table", False),
        ("chosen", False),
        ("step", False),
    }
