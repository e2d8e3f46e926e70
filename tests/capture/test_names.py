"""The names that things get: those of the variables that the program keeps them in."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
import torch
from torch import nn

import fxaudit
from fxaudit.program.tree import NOT_UNPACKED, UNCERTAIN, unpacking
from tests.judged import run


def train(model: nn.Module, *optimizers: torch.optim.Optimizer) -> None:
    for _ in range(2):
        model(torch.ones(2, 3)).sum().backward()
        for optimizer in optimizers:
            optimizer.step()


def several() -> tuple[nn.Module, torch.optim.Optimizer, int]:
    model = nn.Linear(3, 1)
    return (
        model,
        torch.optim.SGD(model.parameters(), 0.1),
        0,
    )


def test_an_optimizer_from_a_returned_tuple_has_the_name_it_is_unpacked_to() -> None:
    with fxaudit.watch() as watch:
        model, tuned, _ = several()
        train(model, tuned)
    assert [o.name for o in watch.report.optimizers] == ["tuned"]


def test_a_returned_tuple_that_is_kept_whole_names_its_part() -> None:
    with fxaudit.watch() as watch:
        made = several()
        train(made[0], made[1])
    assert [o.name for o in watch.report.optimizers] == ["made[1]"]


def test_two_optimizers_built_on_one_line_are_told_apart_or_called_what_they_are() -> None:
    model = nn.Linear(3, 1)
    with fxaudit.watch(model) as watch:
        fast, slow = torch.optim.SGD([model.weight], 0.1), torch.optim.Adam([model.bias], 0.1)
        train(model, fast, slow)
    assert [o.name for o in watch.report.optimizers] == ["fast", "slow"]


@pytest.mark.parametrize(
    ("line", "column", "expected"),
    [
        ("a = f()", 4, ((), NOT_UNPACKED)),
        ("a, b = f()", 7, (("a", "b"), NOT_UNPACKED)),
        ("a, (b, c) = f(), g()", 17, (("a", ""), 1)),
        ("a, b = f(), g()", -1, (("a", "b"), UNCERTAIN)),
        ("a, *b = f(), g()", 8, ((), 0)),
        ("self.a, b = f(), g()", 12, (("self.a", "b"), 0)),
        ("é, b = f(), g()", 8, (("é", "b"), 0)),
        ("a = b = f()", 8, ((), NOT_UNPACKED)),
        ("f()", 0, ((), NOT_UNPACKED)),
    ],
)
def test_unpacking(tmp_path: Path, line: str, column: int, expected: tuple[tuple[str, ...], int]) -> None:
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(line) + "\n", encoding="utf-8")
    assert unpacking(str(program), 1, column) == expected


def test_a_loop_without_step_is_told_round_by_round() -> None:
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with fxaudit.watch(model, optimizer) as watch:
        for _ in range(4):
            optimizer.zero_grad()
            model(torch.ones(2, 3)).sum().backward()
    kinds = [[event.kind for event in step.events] for step in watch.report.steps]
    assert [[kind for kind in round_ if kind != "forward"] for round_ in kinds[1:]] == [["zero_grad", "backward"]] * 3


def test_several_statements_on_one_line_are_told_apart(tmp_path: Path) -> None:
    source = (
        "import torch\nfrom torch import nn\n"
        "class Net(nn.Module):\n"
        "    def __init__(self): super().__init__(); self.enc = nn.Linear(2, 2); self.flag = True\n"
        "    def forward(self, x): return self.enc(x)\n"
        "def fit(net):\n"
        "    o = torch.optim.SGD(net.parameters(), lr=0.1)\n"
        "    for _ in range(4): o.zero_grad(); net(torch.ones(1, 2)).sum().backward(); o.step()\n"
        "first = Net(); second = Net(); fit(first); fit(second)\n"
        "alpha = torch.zeros(1, requires_grad=True); o = torch.optim.SGD([alpha], lr=0.1)\n"
        "for _ in range(4): o.zero_grad(); (alpha - 1).square().sum().backward(); o.step()\n"
    )
    path = tmp_path / "train.py"
    path.write_text(source, encoding="utf-8")
    names = {parameter.name for parameter in run(path)}
    assert "alpha" in names
    assert not any(name.startswith("flag") for name in names)
