"""`fxaudit check` and `fxaudit trace` on small target files, with nothing replaced behind them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import fxaudit
from fxaudit.report import Report
from tests.cli.processes import Ended, forked, fresh

ROOT = Path(__file__).parents[2]

TARGET = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(4, 8)
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        h = torch.relu(self.encoder(x)).detach()
        return self.head(h)


class Healthy(Net):
    def forward(self, x):
        return self.head(torch.relu(self.encoder(x)))


class DataDependent(Healthy):
    def forward(self, x):
        if x.sum() > 0:
            x = -x
        return super().forward(x)


class Fails(Healthy):
    def forward(self, x):
        raise RuntimeError("out of coffee")


def optimized(kind=Net):
    model = kind()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return model, lambda: model(torch.ones(3, 4)).square().mean(), optimizer


def healthy():
    return optimized(Healthy)


def structure():
    model = Net()
    return {"model": model, "optimizer": torch.optim.SGD(model.parameters(), lr=0.1)}


def expecting():
    return {**structure(), "expect": {"encoder.*": "unreachable"}}


def with_inputs():
    return {"model": Healthy(), "inputs": (torch.ones(3, 4),)}


def fails():
    return optimized(Fails)


def empty():
    return nn.ReLU()


model = Healthy()
"""


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    """What torch and fxaudit import when first used, imported before the forks rather than in each of them."""
    model = torch.nn.Linear(1, 1)
    str(fxaudit.audit(model, optimizer=torch.optim.SGD(model.parameters(), lr=0.1)))


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Ended]:
    (tmp_path / "target.py").write_text(TARGET, encoding="utf-8")
    return lambda *args: forked(list(args), tmp_path)


class TestTrace:
    @pytest.mark.parametrize("name", ["Net", "optimized", "structure"])
    def test_finds_the_line_whatever_the_target_gives(self, run: Callable[..., Ended], name: str) -> None:
        ended = run("trace", f"target.py:{name}")
        assert ended.err == ""
        assert ended.status == 1
        assert ended.out.startswith("Net: 2 of 4 parameters, 40 of 58 elements, will not be updated: one cause.\n")
        assert "error[FXA104] detached-path: `.detach()` cuts `encoder.*` off from the loss" in ended.out
        assert "--> target.py:12 in Net.forward" in ended.out
        assert "Nothing was executed" in ended.out

    @pytest.mark.parametrize("name", ["Healthy", "model"])
    def test_of_a_healthy_model_ends_with_0(self, run: Callable[..., Ended], name: str) -> None:
        ended = run("trace", f"target.py:{name}")
        assert (ended.status, ended.err) == (0, "")
        assert ended.out.startswith("Healthy: All 4 parameters can get a gradient.\n")

    def test_that_stops_says_where_and_ends_with_3(self, run: Callable[..., Ended]) -> None:
        ended = run("trace", "target.py:DataDependent")
        assert (ended.status, ended.err) == (3, "")
        assert ended.out.startswith("DataDependent: 4 of 4 parameters, 58 of 58 elements, could not be judged.\n")
        assert "note[FXA901] symbolic-trace-stopped" in ended.out
        assert "target.py:23" in ended.out

    def test_writes_every_form(self, run: Callable[..., Ended], tmp_path: Path) -> None:
        outputs = [f"out.{suffix}" for suffix in ("json", "html", "md", "sarif", "xml", "dot", "svg")]
        ended = run("trace", "-q", *(part for name in outputs for part in ("-o", name)), "target.py:Net")
        assert (ended.status, ended.out, ended.err) == (1, "", "")
        assert all((tmp_path / name).stat().st_size for name in outputs)
        report = Report.from_json((tmp_path / "out.json").read_text("utf-8"))
        assert report["encoder.weight"].verdict == "unreachable"
        assert report.symbolic.status == "traced"

    def test_honours_expectations(self, run: Callable[..., Ended]) -> None:
        met = run("trace", "--expect", "encoder.*=unreachable", "target.py:Net")
        assert met.status == 0
        broken = run("trace", "--expect", "head.*=frozen", "target.py:Net")
        assert "FXA601" in broken.out

    def test_of_a_model_without_parameters_is_wrong_usage(self, run: Callable[..., Ended]) -> None:
        ended = run("trace", "target.py:empty")
        assert (ended.status, ended.out) == (2, "")
        assert ended.err == (
            "fxaudit: error: `model` is a ReLU without any parameter. Expected: a module with parameters to train.\n"
        )

    @pytest.mark.slow
    def test_works_in_a_process_of_its_own(self, run: Callable[..., Ended], tmp_path: Path) -> None:
        ended = fresh(["trace", "--format", "json", f"{tmp_path / 'target.py'}:Net"], ROOT)
        assert (ended.status, ended.err) == (1, "")
        assert [finding["code"] for finding in json.loads(ended.out)["findings"]] == ["FXA104"]


class TestCheck:
    def test_proves_what_it_finds_in_a_tuple(self, run: Callable[..., Ended]) -> None:
        ended = run("check", "target.py:optimized")
        assert (ended.status, ended.err) == (1, "")
        assert "--> target.py:12 in Net.forward" in ended.out
        assert "proved: removing this line restores gradient to 2 parameters" in ended.out

    @pytest.mark.parametrize(
        ("name", "told"),
        [("healthy", "will be updated"), ("with_inputs", "will be updated"), ("Healthy", "can get a gradient")],
    )
    def test_of_healthy_targets_ends_with_0(self, run: Callable[..., Ended], name: str, told: str) -> None:
        ended = run("check", f"target.py:{name}")
        assert (ended.status, ended.err) == (0, "")
        assert ended.out.startswith(f"Healthy: All 4 parameters {told}.\n")

    def test_without_loss_and_inputs_judges_structure(self, run: Callable[..., Ended]) -> None:
        ended = run("check", "target.py:structure")
        assert (ended.status, ended.err) == (1, "")
        assert "FXA104" in ended.out
        assert "Nothing was executed" in ended.out

    def test_takes_expectations_from_the_target_and_the_command_line(self, run: Callable[..., Ended]) -> None:
        assert run("check", "target.py:expecting").status == 0
        ended = run("check", "--expect", "head.*=excluded", "target.py:expecting")
        assert ended.status == 1
        assert "FXA601" in ended.out

    def test_of_an_unmatched_expectation_is_wrong_usage(self, run: Callable[..., Ended]) -> None:
        ended = run("check", "--expect", "tail.*=frozen", "target.py:structure")
        assert ended.status == 2
        assert "'tail.*' matches no parameter" in ended.err

    def test_of_a_forward_that_raises_shows_its_traceback_and_ends_with_3(self, run: Callable[..., Ended]) -> None:
        ended = run("check", "target.py:fails")
        assert ended.status == 3
        assert ended.out == ""
        assert 'raise RuntimeError("out of coffee")' in ended.err
        assert ended.err.endswith("target.py:fails raised RuntimeError when it ran\n")
