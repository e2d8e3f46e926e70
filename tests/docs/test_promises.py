"""The page of promises names tests that are there."""

from __future__ import annotations

import ast

import pytest

from tests.pages import ROOT
from tools.promises import PROMISES

NAMED = sorted({test for promises in PROMISES.values() for promise in promises for test in promise.tests})


@pytest.mark.parametrize("named", NAMED)
def test_a_test_that_keeps_a_promise_is_there(named: str) -> None:
    file, _, function = named.partition("::")
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    assert function in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_promise_is_kept_by_a_test() -> None:
    assert all(promise.tests for promises in PROMISES.values() for promise in promises)
