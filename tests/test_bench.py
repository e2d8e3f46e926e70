"""The table of what fxaudit costs: what got slower is told, and the picture has a bar for each row."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks import bench_compare, graph_cost
from benchmarks.bench import ROWS, line
from benchmarks.bench_plot import plot


def row(what: str, model: str, ratio: float) -> dict[str, Any]:
    clock = {"min": ratio, "median": 1.1 * ratio}
    return {
        "what": what, "model": model, "cpu": clock, "wall": clock, "plain_cpu_ms": 1.0, "plain_wall_ms": 1.0,
        "peak_mib": {"plain": 300.0, "with": 310.0},
    }  # fmt: skip


def test_what_got_slower_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps({"rows": [row("audit", "a", 2.0), row("audit", "b", 2.0), row("audit", "c", 2.0)]}))
    new.write_text(json.dumps({"rows": [row("audit", "a", 2.1), row("audit", "b", 3.0), row("audit", "d", 2.0)]}))
    monkeypatch.setattr(sys, "argv", ["bench_compare", str(old), str(new)])
    assert bench_compare.main() == 1
    assert [text.split()[:3] for text in capsys.readouterr().out.splitlines()] == [
        ["same", "audit", "a"],
        ["slower", "audit", "b"],
    ]
    monkeypatch.setattr(sys, "argv", ["bench_compare", str(new), str(old)])
    assert bench_compare.main() == 0


def test_the_picture_has_two_bars_for_each_row_and_the_table_a_line() -> None:
    rows = [row(what, model, 1.5) for what, model in ROWS]
    root = ElementTree.fromstring(plot(rows))
    assert len(root.findall("{http://www.w3.org/2000/svg}rect")) == 1 + 2 * len(rows)
    assert all("MiB" in line(one) for one in rows)


@pytest.mark.parametrize("kind", graph_cost.KINDS)
@pytest.mark.slow
def test_a_node_of_a_larger_model_costs_no_more(kind: str) -> None:
    small, large = graph_cost.measured(kind, 20), graph_cost.measured(kind, 200)
    assert 9 < large["count"] / small["count"] < 11
    assert large["bytes"] / large["count"] < 1.3 * small["bytes"] / small["count"]
    text = graph_cost.table([small, large])
    assert text.splitlines()[-1].startswith(f"{kind}: a node of the largest takes ")
