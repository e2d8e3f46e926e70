"""Numbers that are too large, and sizes that are read too late: the line is blamed where they come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import judged, line_of

TABLE = """
import torch
from torch import nn

torch.manual_seed(0)


def columns(n):
    return [[4000.0 + 7 * i, 90000.0 + 31 * i] for i in range(n)]


def load(n):
    table = torch.tensor(columns(n))  # blamed
    target = torch.randn(n, 1)
    return table, target


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(2, 8)
        self.out = nn.Linear(8, 1)

    def forward(self, x):
        return self.out(torch.tanh(self.hidden(x)))


x, y = load(32)
net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
for _ in range(3):
    for i in range(0, 32, 8):
        batch = x[i:i + 8]
        loss = (net(batch) - y[i:i + 8]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
GROWN = """
import torch
from torch import nn

torch.manual_seed(0)


def only_rows(table, rows):
    mask = torch.zeros(table.num_embeddings, 1)
    mask[rows] = 1.0
    table.weight.register_hook(lambda grad: grad * mask)


class Net(nn.Module):
    def __init__(self, words):
        super().__init__()
        self.table = nn.Embedding(words, 4)
        self.out = nn.Linear(4, 2)

    def grow(self, words):
        old = self.table
        self.table = nn.Embedding(words, 4)
        with torch.no_grad():
            self.table.weight[: old.num_embeddings] = old.weight

    def forward(self, ids):
        return self.out(self.table(ids))


def add_words(net, words):
    net.grow(words)
    before = {size}
    only_rows(net.table, torch.arange(before, words))


net = Net(10)
add_words(net, 14)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(4):
    loss = net(torch.randint(0, 14, (8,))).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


def test_a_table_that_is_not_scaled_is_blamed_where_it_is_read(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, TABLE).findings
    assert finding.code == "FXA501"
    assert "# blamed" in line_of(finding)
    assert "numbers up to 90961" in finding.message
    assert finding.fix.startswith("Normalise what goes in")


def test_the_same_behind_a_loader(tmp_path: Path) -> None:
    loader = "torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), 8)"
    program = TABLE.replace("for i in range(0, 32, 8):", f"for batch, wanted in {loader}:")
    program = program.replace("        batch = x[i:i + 8]\n", "").replace("y[i:i + 8]", "wanted")
    (finding,) = judged(tmp_path, program).findings
    assert "# blamed" in line_of(finding)


def test_what_is_scaled_has_no_finding(tmp_path: Path) -> None:
    scaled = TABLE.replace("x, y = load(32)", "x, y = load(32)\nx = (x - x.mean(0)) / x.std(0)")
    assert judged(tmp_path, scaled).findings == ()


def test_large_weights_are_blamed_where_they_bite_and_not_the_data(tmp_path: Path) -> None:
    small = TABLE.replace("x, y = load(32)", "x, y = load(32)\nx = (x - x.mean(0)) / x.std(0) + 4")
    program = small.replace("net = Net()", "net = Net()\nnn.init.constant_(net.hidden.weight, 1e4)")
    (finding,) = judged(tmp_path, program).findings
    assert finding.code == "FXA501"
    assert "is given numbers" not in finding.message
    assert not finding.fix.startswith("Normalise")


@pytest.mark.parametrize("size", ["net.table.num_embeddings", "len(net.table.weight)", "net.table.weight.size(0)"])
def test_a_size_that_is_read_after_it_changed_is_blamed(tmp_path: Path, size: str) -> None:
    program = GROWN.format(size=size)
    (finding,) = judged(tmp_path, program).findings
    assert finding.code == "FXA504"
    assert line_of(finding).startswith("before = ")
    assert finding.fix == "Read this size before the line that changes it."
    assert any("made here, and empty" in related.role for related in finding.related)


def test_an_empty_selection_of_another_origin_is_blamed_where_it_is_made(tmp_path: Path) -> None:
    program = GROWN.format(size="14")
    (finding,) = judged(tmp_path, program).findings
    assert "torch.arange(before, words)" in line_of(finding)
    assert finding.fix.startswith("Give the write something to select")
