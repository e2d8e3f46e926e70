"""What a healthy model's report is not asked for is not made; what is, is what it would have been at once."""

from __future__ import annotations

import copy
import importlib.util
import json
import os
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

import fxaudit
from fxaudit import Report
from fxaudit.answer.picture_data import GraphData
from fxaudit.attempts import STRICT
from fxaudit.judge import write_up

NET = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(4, 4), nn.Linear(4, 1)

    def forward(self, x):
        hidden = torch.tanh(self.body(x))
        return self.head(hidden)
"""


def model_from(folder: Path) -> nn.Module:
    (folder / "net.py").write_text(NET)
    spec = importlib.util.spec_from_file_location("net", folder / "net.py")
    assert spec is not None and spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    torch.manual_seed(0)
    net: nn.Module = module.Net()
    return net


def audited(model: nn.Module) -> Report:
    x = torch.ones(3, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return fxaudit.audit(model, lambda: model(x).square().mean(), optimizer)


def told(report: Report) -> Any:
    """All that it says, without the numbers that autograd gives the nodes of all graphs of a process."""
    document = json.loads(report.to_json())
    document["graph"].pop("autograd_sequences")
    return document


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> nn.Module:
    monkeypatch.chdir(tmp_path)
    return model_from(tmp_path)


def test_nothing_is_drawn_before_somebody_asks(net: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(write_up, "graph_data", lambda *a, real=write_up.graph_data: made.append("graph") or real(*a))
    monkeypatch.setattr(write_up, "_parameter", lambda *a, real=write_up._parameter: made.append("one") or real(*a))
    report = audited(net)
    assert report.ok and len(report) == 4 and list(report.parameters) == [name for name, _ in net.named_parameters()]
    assert made == []
    assert report["body.weight"].verdict == report["body.weight"].verdict == "trained"
    assert made == ["one"]
    assert len(report.graph_data.nodes) == len(report.graph.nodes) - len(report.graph_data.autograd_nodes)
    assert made == ["one", "graph", "one", "one", "one"]


def test_threads_that_ask_together_get_the_same(net: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(write_up, "graph_data", lambda *a, real=write_up.graph_data: made.append(1) or real(*a))
    report, ready = audited(net), threading.Barrier(4)

    def ask(_: int) -> Any:
        ready.wait()
        return report.graph_data.nodes, report["body.weight"]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(4)))
    assert made == [1] and all(answer == answers[0] for answer in answers)


def test_what_ails_is_written_at_once(net: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(write_up, "graph_data", lambda *a, real=write_up.graph_data: made.append("graph") or real(*a))
    x, optimizer = torch.ones(3, 4), torch.optim.SGD(net.parameters(), lr=0.1)
    report = fxaudit.audit(net, lambda: net.head(net.body(x).detach()).square().mean(), optimizer)  # type: ignore[operator]
    assert not report.ok and made == ["graph"]


def test_files_that_changed_and_another_folder_make_no_difference(
    net: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, later = (audited(net) for _ in range(2))
    expected = told(at_once)
    (tmp_path / "net.py").write_text("# another program\n" * 20)
    os.utime(tmp_path / "net.py", ns=(1, 1))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert told(later) == expected
    assert "tanh(self.body(x))" in str(expected) and "'net.py'" in str(expected)


def test_a_late_report_can_be_kept_copied_and_changed(net: nn.Module) -> None:
    model: Any = net
    reports = [audited(model) for _ in range(4)]
    assert told(pickle.loads(pickle.dumps(reports[0]))) == told(reports[1])
    assert told(copy.deepcopy(reports[2])) == told(reports[1])
    report = reports[3]
    assert replace(report, graph_data=replace(report.graph_data, left_out="much")).graph_data.left_out == "much"
    assert report == copy.deepcopy(report) and report != reports[1]  # nodes of autograd are numbered on
    assert report.graph_data == GraphData(*(getattr(report.graph_data, f) for f in GraphData.__dataclass_fields__))
    assert not hasattr(report.graph_data, "no_such_field")


def test_what_fails_late_is_told_where_it_is_missing(net: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise ZeroDivisionError("a defect of fxaudit")

    monkeypatch.delenv(STRICT, raising=False)
    monkeypatch.setattr(write_up, "graph_data", fail)
    monkeypatch.setattr(write_up, "_parameter", fail)
    report = audited(net)
    assert "ZeroDivisionError: a defect of fxaudit" in report.graph_data.left_out
    assert report["head.bias"].verdict == "trained"
    assert "ZeroDivisionError: a defect of fxaudit" in report["head.bias"].reason
