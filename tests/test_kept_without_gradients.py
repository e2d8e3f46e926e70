"""What is kept from a first call without gradients is the fault of what keeps it, not of that call."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import codes, judged, line_of

HEAD = """
import functools

import torch
from torch import nn

torch.manual_seed(0)
x, y = torch.randn(6, 4), torch.randn(6, 4)
"""
LOOP = """
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


@torch.no_grad()
def evaluate():
    print((net(x) - y).square().mean())


FIRST
for epoch in range(4):
    loss = (net(x) - y).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
NET = """
class Graph(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Parameter(torch.randn(6, 2)), nn.Parameter(torch.randn(6, 2))
        self.conv = nn.Linear(4, 4)
        self.known, self.tables = None, {}

    def adjacency(self):
        return torch.softmax(self.left @ self.right.T, -1)

    KEEPING

    def forward(self, x):
        return self.conv(self.table() @ x)


net = Graph()
"""
TESTED = """
    def table(self):
        if self.known is None:  # blamed
            self.known = self.adjacency()
        return self.known
"""
BY_SIZE = """
    def table(self):
        if 6 not in self.tables:  # blamed
            self.tables[6] = self.adjacency()
        return self.tables[6]
"""
BY_NAME = """
    def table(self):
        if not hasattr(self, "there"):  # blamed
            self.there = self.adjacency()
        return self.there
"""
CACHED = """
    @functools.lru_cache(maxsize=1)  # blamed
    def table(self):
        return self.adjacency()
"""
KEEPER = """
def keep(method):
    @functools.wraps(method)
    def wrapper(self, *args):
        STORE
        if args not in store:
            store[args] = method(self, *args)
        return store[args]

    return wrapper
"""
DECORATED = """
    @keep  # blamed
    def table(self):
        return self.adjacency()
"""
MEANT = """
    def table(self):
        with torch.no_grad():  # blamed
            if self.known is None:
                self.known = self.adjacency()
        return self.known
"""


@pytest.mark.parametrize("keeping", [TESTED, BY_SIZE, BY_NAME, CACHED])
def test_what_keeps_it_is_blamed(tmp_path: Path, keeping: str) -> None:
    program = HEAD + NET.replace("    KEEPING\n", keeping.lstrip("\n")) + LOOP.replace("FIRST", "evaluate()")
    (finding,) = judged(tmp_path, program).findings
    assert finding.code == "FXA105" and line_of(finding).endswith("# blamed")
    assert finding.fix.startswith("Compute it anew in each call that trains")
    assert any(related.source.code == "@torch.no_grad()" for related in finding.related)


@pytest.mark.parametrize("store", ['store = self.__dict__.setdefault("kept", {})', "store = self.tables"])
def test_a_decorator_of_the_program_that_keeps_it_is_blamed_where_it_stands(tmp_path: Path, store: str) -> None:
    net = NET.replace("    KEEPING\n", DECORATED.lstrip("\n"))
    program = HEAD + KEEPER.replace("STORE", store) + net + LOOP.replace("FIRST", "evaluate()")
    (finding,) = judged(tmp_path, program).findings
    assert finding.code == "FXA105" and line_of(finding).endswith("# blamed")
    assert finding.fix.startswith("Compute it anew in each call that trains")


def test_a_decorator_that_keeps_nothing_beyond_the_call_is_not(tmp_path: Path) -> None:
    net = NET.replace("    KEEPING\n", DECORATED.lstrip("\n"))
    program = HEAD + KEEPER.replace("STORE", "store = {}") + net + LOOP.replace("FIRST", "evaluate()")
    assert not codes(judged(tmp_path, program))


def test_a_region_around_what_keeps_it_is_blamed_itself(tmp_path: Path) -> None:
    program = HEAD + NET.replace("    KEEPING\n", MEANT.lstrip("\n")) + LOOP.replace("FIRST", "")
    (finding,) = judged(tmp_path, program).findings
    assert finding.code == "FXA105" and line_of(finding).endswith("# blamed")


def test_what_is_computed_anew_in_training_may_be_kept_meanwhile(tmp_path: Path) -> None:
    keeping = TESTED.replace("if self.known is None:", "if self.known is None or torch.is_grad_enabled():")
    program = HEAD + NET.replace("    KEEPING\n", keeping.lstrip("\n")) + LOOP.replace("FIRST", "evaluate()")
    assert not codes(judged(tmp_path, program))


def test_what_is_emptied_for_each_step_is_kept_rightly(tmp_path: Path) -> None:
    keeping = (
        TESTED.replace("  # blamed", "")
        + """
    def empty(self):
        self.known = None
"""
    )
    loop = LOOP.replace("FIRST", "").replace(
        "    loss = (net", "    net.empty()\n    with torch.no_grad():  # blamed\n        net(x)\n    loss = (net"
    )
    program = HEAD + NET.replace("    KEEPING\n", keeping.lstrip("\n")) + loop
    (finding,) = judged(tmp_path, program).findings
    assert finding.code == "FXA105" and line_of(finding).endswith("# blamed")


INDEXED = """
class Towers(nn.Module):
    def __init__(self):
        super().__init__()
        self.user, self.item = nn.Linear(4, 3), nn.Linear(4, 3)
        self.index = None

    def refresh(self):
        self.index = self.item(y)

    def items(self, rows):
        if self.index is not None:  # blamed
            return self.index[rows]
        return self.item(y[rows])

    def forward(self, x):
        return (self.user(x) * self.items(torch.arange(6))).sum(-1)


net = Towers()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


@torch.no_grad()
def evaluate():
    net.refresh()
    print(net(x).mean())
    FORGOTTEN


evaluate()
for epoch in range(4):
    loss = (net(x) - 1).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


def test_what_another_method_kept(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, HEAD + INDEXED.replace("FORGOTTEN", "pass")).findings
    assert finding.code == "FXA105" and line_of(finding).endswith("# blamed")
    assert finding.fix.startswith("Compute it anew in each call that trains")
    assert codes(judged(tmp_path, HEAD + INDEXED.replace("FORGOTTEN", "net.index = None"))) == []
