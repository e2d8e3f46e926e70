"""Lookups that found nothing: what stood in is no culprit where another key was meant."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from fxaudit.program.course import Seen
from fxaudit.program.evaluation import NOT_KNOWN, evaluated
from fxaudit.report import Report
from tests.scripts import judged, line_of

SCRIPT = """
import torch
from torch import nn


def cut(h):
    return h.detach()  # cut


def zero(h):
    return 0 * h  # zero


TABLE = {"squared": torch.square, "same": lambda h: h}


def chosen(name, stand_in):
    HOW


NAME = KEY  # name
encoder, head = nn.Linear(4, 8), nn.Linear(8, 1)
optimizer = torch.optim.SGD([*encoder.parameters(), *head.parameters()], lr=0.1)
for _ in range(3):
    function = chosen(NAME, STAND_IN)  # use
    loss = (head(function(encoder(torch.ones(4, 4)))) - 1).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
WAYS = {
    "get": "return TABLE.get(name, stand_in)",
    "expression": "return TABLE[name] if name in TABLE else stand_in",
    "statement": "if name not in TABLE:\n        return stand_in\n    return TABLE[name]",
    "handler": "try:\n        return TABLE[name]\n    except KeyError:\n        return stand_in",
}


def report_of(folder: Path, how: str, key: str, stand_in: str) -> Report:
    """The report on the script with a way of looking up, a key and what stands in for a missing one."""
    return judged(folder, SCRIPT.replace("HOW", WAYS[how]).replace("KEY", key).replace("STAND_IN", stand_in))


def blamed(folder: Path, how: str, key: str, stand_in: str) -> str:
    """The text of the line that is blamed first."""
    return line_of(report_of(folder, how, key, stand_in).findings[0])


@pytest.mark.parametrize("how", WAYS)
def test_a_key_that_is_nearly_another_is_blamed_where_it_is_written(how: str, tmp_path: Path) -> None:
    assert blamed(tmp_path, how, '"squarred"', "cut").endswith("# name")


def test_what_stands_in_on_purpose_is_blamed_itself(tmp_path: Path) -> None:
    assert blamed(tmp_path, "get", '"whatever"', "cut").endswith("# cut")


def test_nothing_is_said_of_a_key_that_is_there(tmp_path: Path) -> None:
    assert report_of(tmp_path, "get", '"same"', "cut").findings == ()


def test_what_does_nothing_was_hardly_meant(tmp_path: Path) -> None:
    assert blamed(tmp_path, "get", '"cubed"', "zero").endswith("# name")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name in table", False),
        ("'b' in table", True),
        ("name not in table", True),
        ("f'{name}-{number}'", "x-3"),
        ("f'{name:>4}'", NOT_KNOWN),
        ("'A'.lower() in table", True),
        ("name + 'y'", "xy"),
        ("table.get(name, 0.5)", 0.5),
        ("table.get('b', 0.5)", NOT_KNOWN),
        ("large.get(name, 0.5)", NOT_KNOWN),
        ("name in large", NOT_KNOWN),
    ],
)
def test_what_members_tell(text: str, expected: object) -> None:
    read = {
        "name": Seen("plain", "x"),
        "number": Seen("plain", 3),
        "table": Seen("dict", 2, 1, ("a", "b")),
        "large": Seen("dict", 1000, 2),
    }
    node = ast.parse(text, mode="eval").body
    assert evaluated(node, read) == expected


PASSED_OVER = """
import torch
from torch import nn

net = nn.ModuleDict({"main": nn.Linear(4, 2), "edge": nn.Linear(4, 1)})


class Combined:
    def __init__(self, weights):
        self.weights = weights

    def __call__(self, given):
        total = 0.0
        for key, weight in self.weights.items():
            PASS
            total = total + weight * given[key].square().mean()
        return total


combined = Combined({
    "main": 1.0,
    "KEY": 0.5,  # blamed
})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(3):
    x = torch.randn(8, 4)
    loss = combined({key: part(x) for key, part in net.items()})
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
PASSES = {
    "in one line": "if key not in given: continue",
    "in two": "if key not in given:\n                continue",
}


@pytest.mark.parametrize("passed", PASSES.values(), ids=PASSES)
def test_a_key_that_is_passed_over(tmp_path: Path, passed: str) -> None:
    text = PASSED_OVER.replace("PASS", passed)
    (finding,) = judged(tmp_path, text.replace("KEY", "edges")).findings
    assert finding.code == "FXA103" and line_of(finding).endswith("# blamed")
    assert finding.fix.startswith("`edge` was meant")
    assert judged(tmp_path, text.replace("KEY", "edge")).findings == ()


def test_a_key_that_is_passed_over_on_purpose(tmp_path: Path) -> None:
    """The other key is asked for, too."""
    text = PASSED_OVER.replace("PASS", PASSES["in two"]).replace('"KEY": 0.5,', '"edge": 0.5, "edges": 0.5,')
    assert judged(tmp_path, text).findings == ()
