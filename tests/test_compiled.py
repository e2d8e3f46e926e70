"""Programs that use `torch.compile`: the compiler must not meet fxaudit, and what it runs is judged all the same."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import runpy
import textwrap
import warnings
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.overrides import TorchFunctionMode, _get_current_function_mode_stack

import fxaudit
from fxaudit.report import Report
from fxaudit.run.copy import in_copy
from fxaudit.run.script import run_script

PROGRAM = """
import sys
import torch
from torch import nn

torch.manual_seed(0)
GRAPHS = []


def backend(graph, inputs):
    GRAPHS.append(graph)
    return graph


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 8), nn.Linear(8, 2)

    def forward(self, x):
        h = torch.tanh(self.a(x))
        if CUT:
            h = h.detach()
        if BREAK:
            torch._dynamo.graph_break()
        return self.b(h)


def loss_of(x):
    return net(x).square().mean()


def step(x):
    loss = loss_of(x)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
x = torch.randn(8, 4)
COMPILE
for _ in range(4):
    print(step(x).item(), file=sys.stderr)
print(len(GRAPHS), file=sys.stderr)
"""
WAYS = {
    "model": "net = torch.compile(net, backend=backend)",
    "in place": "net.compile(backend=backend)",
    "loss": "loss_of = torch.compile(loss_of, backend=backend)",
    "step": "step = torch.compile(step, backend=backend)",
}


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    """Importing the compiler takes seconds; do it once, before the copies are made."""
    importlib.import_module("torch._dynamo.backends.registry")


def program(folder: Path, way: str, cut: bool = False, graph_break: bool = False) -> Path:
    path = folder / "train.py"
    text = PROGRAM.replace("COMPILE", WAYS[way]).replace("CUT", str(cut)).replace("BREAK", str(graph_break))
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def outcome(path: Path, audited: bool) -> tuple[str, Report | None]:
    """What the program says, and its report."""

    def work() -> str:
        warnings.simplefilter("ignore")
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            if audited:
                report = run_script([str(path)], to_end=True).to_json()
            else:
                runpy.run_path(str(path), run_name="__main__")
                report = ""
        return json.dumps([said.getvalue(), report])

    answer, why = in_copy(work, seconds=120.0)
    assert answer is not None, why
    said, report = json.loads(answer)
    return said, Report.from_json(report) if report else None


@pytest.mark.parametrize(("way", "graph_break"), [("model", True), ("in place", False), ("loss", False)])
@pytest.mark.slow
def test_the_compiler_makes_the_same_graphs_and_numbers_as_without_an_audit(
    tmp_path: Path, way: str, graph_break: bool
) -> None:
    path = program(tmp_path, way, graph_break=graph_break)
    plain, _ = outcome(path, audited=False)
    said, report = outcome(path, audited=True)
    assert said == plain
    assert report is not None
    assert {parameter.verdict for parameter in report} == {"trained"}
    assert not report.findings


@pytest.mark.parametrize("way", ["model", "loss"])
def test_a_cut_in_compiled_code_has_no_line_but_is_no_note(tmp_path: Path, way: str) -> None:
    _, report = outcome(program(tmp_path, way, cut=True), audited=True)
    assert report is not None
    assert {p.name.rsplit(".", 2)[-2]: p.verdict for p in report} == {"a": "unreachable", "b": "trained"}
    assert [(f.code, f.level) for f in report.findings] == [("FXA112", "warning")]


@pytest.mark.slow
def test_a_whole_step_in_compiled_code_is_not_said_to_be_missing(tmp_path: Path) -> None:
    _, report = outcome(program(tmp_path, "step"), audited=True)
    assert report is not None
    assert {parameter.verdict for parameter in report} == {"unknown"}
    assert all("compiled code trains it" in parameter.reason for parameter in report)
    assert not [finding for finding in report.findings if finding.level != "note"]


def test_audit_looks_into_compiled_code() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(4, 8), nn.Linear(8, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            hidden = torch.tanh(self.a(x))
            return self.b(hidden.detach())

    def work() -> str:
        net, x = Net(), torch.randn(8, 4)
        compiled = torch.compile(net, backend="eager")
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        return fxaudit.audit(net, lambda: compiled(x).square().mean(), optimizer).to_json()

    answer, why = in_copy(work, seconds=120.0)
    assert answer is not None, why
    report = Report.from_json(answer)
    (finding,) = report.findings
    assert finding.code == "FXA104"
    assert finding.culprit is not None and "hidden.detach()" in finding.culprit.code
    assert finding.proved


def test_a_mode_of_the_user_keeps_its_place_above_the_recorder() -> None:
    class Mine(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            return func(*args, **(kwargs or {}))

    with fxaudit.watch() as watching, Mine() as mine:
        session = watching._observation.session
        before = _get_current_function_mode_stack()
        session.step_aside()
        assert _get_current_function_mode_stack() == [mode for mode in before if mode is not session.recorder]
        assert not hasattr(nn.Module.__call__, "__wrapped__") and nn.Module.__call__.__module__.startswith("torch")
        session.step_back()
        assert _get_current_function_mode_stack() == before
        assert nn.Module.__call__.__module__.startswith("fxaudit")
        assert before[-1] is mine
