"""The pictures of the gallery's reports, which real programs wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fxaudit import cli
from fxaudit.renderers.picture.draw import VIEWS
from fxaudit.report import Report

REPORTS = sorted((Path(__file__).parents[2] / "reports").glob("*.json"))
MOST_MODULES = 150
MOST_BOXES = 500
MOST_WHY = 25


@pytest.fixture(params=REPORTS, ids=lambda path: path.stem)
def real(request: pytest.FixtureRequest) -> Report:
    path: Path = request.param
    return Report.from_json(path.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_the_default_views_stay_small_enough_to_read(real: Report) -> None:
    assert 0 < real.draw().drawn <= MOST_MODULES
    for view in ("operations", "autograd"):
        assert 0 < real.draw(view=view).drawn <= MOST_BOXES
    for name in real.parameters:
        assert 0 < real.draw(name).drawn <= MOST_WHY


def test_every_input_is_one_that_a_reader_would_call_so(real: Report) -> None:
    inputs = [node for node in real.graph_data.nodes if node.kind == "input"]
    assert 0 < len(inputs) <= 8


def test_every_operation_of_a_module_stands_in_it_and_every_loss_is_drawn(real: Report) -> None:
    data = real.graph_data
    called = {module.name for module in data.modules if module.called}
    assert {data.modules[n.module].name for n in data.nodes if n.kind == "op" and n.module >= 0} <= called
    assert [n for n in data.nodes if n.kind == "loss"]


@pytest.mark.parametrize("view", VIEWS)
def test_the_command_line_draws_a_parameter_of_a_saved_report(
    view: str, tmp_path: Path, no_dot: None, capsys: Any
) -> None:
    (saved,) = [path for path in REPORTS if path.stem == "train_translation"]
    target = tmp_path / "x.svg"
    arguments = ["render", str(saved), "-o", str(target), "--view", view]
    arguments += ["--parameter", "encoder.embedding.weight"] if view != "modules" else []
    assert cli.main(arguments) == 0, capsys.readouterr().err
    drawn = target.read_text(encoding="utf-8")
    assert "encoder" in drawn
    assert drawn.count('class="k-') or 'class="node k-' in drawn
    assert "__getitem__" not in drawn
