"""Patches of `audit()` and `watch`: tried where the closure runs what they change, else offered with the reason."""

from __future__ import annotations

import importlib.util
import itertools
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

import fxaudit
from fxaudit.run import closure_trials
from fxaudit.run.recompiled import is_what_runs

pytestmark = pytest.mark.slow

HEAD = """
import torch
from torch import nn
import torch.nn.functional as F
torch.manual_seed(0)
x, y = torch.randn(8, 4), torch.randn(8, 1)
"""
NET = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 1)

    def forward(self, x):
        return self.b(torch.tanh(self.a(x)))

def make():
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return model, lambda: F.mse_loss(model(x), y), optimizer
"""
CUT = NET.replace("torch.tanh(self.a(x))", "torch.tanh(self.a(x)).detach()")
NUMBERS = itertools.count()

Load = Callable[[str], ModuleType]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """A module made of a text, in a file of its own."""
    monkeypatch.chdir(tmp_path)

    def load(text: str) -> ModuleType:
        path = tmp_path / f"nets_{next(NUMBERS)}.py"
        path.write_text(HEAD + textwrap.dedent(text), "utf-8")
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, path.stem, module)
        spec.loader.exec_module(module)
        return module

    return load


def patch_of(report: fxaudit.Report) -> Any:
    (finding,) = [finding for finding in report.findings if finding.level != "note"]
    return finding.patch


def test_an_edit_of_the_forward_is_tried(load: Load, tmp_path: Path) -> None:
    module = load(CUT)
    model, loss, optimizer = module.make()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    code = module.Net.forward.__code__
    patch = patch_of(fxaudit.audit(model, loss, optimizer, fix=True))
    seen = "2 parameters train, nothing else changes its verdict, the loss of step 1 is the same"
    assert (patch.state, patch.seen) == ("tried", seen)
    assert "+        return self.b(torch.tanh(self.a(x)))" in patch.diff
    subprocess.run(["git", "apply", "--check", "-"], input=patch.diff.encode(), cwd=tmp_path, check=True)
    # Here nothing is changed: neither the code, nor the values, nor the file.
    assert module.Net.forward.__code__ is code
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert ".detach()" in Path(module.__file__ or "").read_text("utf-8")
    assert patch_of(fxaudit.audit(model, loss, optimizer)) is None


def test_a_healthy_model_gets_none(load: Load) -> None:
    report = fxaudit.audit(*load(NET).make(), fix=True)
    assert report.patch is None and not report.findings


DECORATED = {
    "of a method": NET.replace(
        "    def forward",
        "    @torch.no_grad()\n    def encode(self, x):\n        return self.a(x)\n\n    def forward",
    ).replace("self.a(x)))", "self.encode(x)))"),
    "of a function": NET.replace(
        "class Net", "@torch.no_grad()\ndef encode(layer, x):\n    return layer(x)\n\nclass Net"
    ).replace("torch.tanh(self.a(x))", "torch.tanh(encode(self.a, x))"),
    "of a forward that calls super": NET.replace("nn.Module):", "nn.Module):\n    scale = 2.0")
    .replace("    def forward", "    @torch.no_grad()\n    def forward")
    .replace("return self.b(", "super().train(True)\n        return self.scale * self.b("),
}


@pytest.mark.parametrize("text", DECORATED.values(), ids=DECORATED)
@pytest.mark.slow
def test_a_decorator_is_taken_off(load: Load, text: str) -> None:
    patch = patch_of(fxaudit.audit(*load(text).make(), fix=True))
    assert patch.state == "tried"
    assert any(line.startswith("-") and "no_grad" in line for line in patch.diff.splitlines())


def test_a_constructor_ran_before_and_its_edit_is_offered_untried(load: Load) -> None:
    listed = NET.replace(
        "self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 1)",
        "self.b = nn.Linear(4, 1)\n        self.a = [nn.Linear(4, 4)]",
    )
    patch = patch_of(fxaudit.audit(*load(listed.replace("self.a(x)", "self.a[0](x)")).make(), fix=True))
    assert patch.state == "untried"
    assert patch.seen == "`Net.__init__` ran before the audit, and does not run in it"
    assert "+        self.a = nn.ModuleList([nn.Linear(4, 4)])" in patch.diff


@pytest.mark.slow
def test_an_optimizer_was_built_before(load: Load) -> None:
    short = NET.replace("SGD(model.parameters()", "SGD(model.b.parameters()")
    patch = patch_of(fxaudit.audit(*load(short).make(), fix=True))
    assert (patch.state, patch.seen) == ("untried", "`make` ran before the audit, and does not run in it")


@pytest.mark.slow
def test_a_closure_inside_a_function_is_mended(load: Load) -> None:
    inside = NET.replace(
        "return model, lambda: F.mse_loss(model(x), y), optimizer",
        "def loss():\n        out = model(x).detach().requires_grad_()\n        return F.mse_loss(out, y)\n"
        "    return model, loss, optimizer",
    )
    assert patch_of(fxaudit.audit(*load(inside).make(), fix=True)).state == "tried"


@pytest.mark.slow
def test_two_faults_are_mended_together(load: Load) -> None:
    both = CUT.replace("        self.a,", "        self.c, self.d = nn.Linear(4, 4), nn.Linear(4, 1)\n        self.a,")
    both = both.replace("return self.b", "out = self.d(self.c(x).data)\n        return out + self.b")
    report = fxaudit.audit(*load(both).make(), fix=True)
    assert [finding.patch.state for finding in report.findings if finding.patch] == ["tried", "tried"]
    assert report.patch is not None and report.patch.state == "tried"


def test_the_structure_alone_is_mended(load: Load) -> None:
    module = load(CUT)
    assert patch_of(fxaudit.audit(module.Net(), fix=True)).state == "tried"


def test_a_loss_that_is_there_already_cannot_be_computed_again(load: Load) -> None:
    model, loss, optimizer = load(CUT).make()
    with fxaudit.watch():
        computed = loss()
        patch = patch_of(fxaudit.audit(model, computed, optimizer, fix=True))
    assert patch.state == "untried" and patch.diff
    assert patch.seen.startswith("the loss was computed before the audit")


def test_without_a_fork_nothing_is_tried(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closure_trials, "can_fork", lambda: False)
    patch = patch_of(fxaudit.audit(*load(CUT).make(), fix=True))
    assert (patch.state, bool(patch.diff)) == ("untried", True)
    assert patch.seen == "this process cannot be forked to run anything with it"


@pytest.mark.slow
def test_inside_a_watched_block_it_is_tried_as_well(load: Load) -> None:
    module = load(CUT)
    with fxaudit.watch():
        assert patch_of(fxaudit.audit(*module.make(), fix=True)).state == "tried"


def test_what_a_watched_block_did_is_not_done_again(load: Load) -> None:
    model, loss, optimizer = load(CUT).make()
    with fxaudit.watch(model, optimizer, fix=True) as watching:
        for _ in range(3):
            optimizer.zero_grad()
            loss().backward()
            optimizer.step()
    patch = patch_of(watching.report)
    assert (patch.state, patch.seen) == ("untried", "the steps of a watched block cannot be run again")
    assert "+        return self.b(torch.tanh(self.a(x)))" in patch.diff


def test_a_file_that_was_edited_since_gets_no_patch(load: Load) -> None:
    module = load(CUT)
    path = Path(module.__file__ or "")
    path.write_text("# a new line\n" + path.read_text("utf-8"), "utf-8")
    patch = patch_of(fxaudit.audit(*module.make(), fix=True))
    assert (patch.state, patch.diff) == ("failed", "")
    assert patch.seen == f"{path.name} was changed since it was loaded"


def test_the_text_of_a_file_is_what_runs_unless_a_function_differs(load: Load) -> None:
    module = load(NET)
    text = Path(module.__file__ or "").read_text("utf-8")
    assert is_what_runs(module.__file__ or "", text)
    assert is_what_runs(__file__, Path(__file__).read_text("utf-8"))  # pytest has rewritten its asserts
    assert not is_what_runs(module.__file__ or "", text.replace("tanh", "relu"))
    assert not is_what_runs(module.__file__ or "", text.replace("self.a(x)", "(self.a(x)"))
    assert not is_what_runs(module.__file__ or "", "\n" + text)


@pytest.mark.slow
def test_a_trial_that_hangs_is_ended_and_told(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closure_trials, "AT_LEAST", 1.0)
    monkeypatch.setattr(closure_trials, "TIMES", 0.0)
    module = load(CUT + "\nHOME = " + str(os.getpid()) + "\n")
    model, loss, optimizer = module.make()

    def hangs() -> torch.Tensor:
        if os.getpid() != module.HOME:
            while True:
                pass
        value: torch.Tensor = loss()
        return value

    patch = patch_of(fxaudit.audit(model, hangs, optimizer, prove=False, fix=True))
    assert patch.state == "untried"
    assert patch.seen == "the audit could not be run a second time: it did not end within 1 seconds"
