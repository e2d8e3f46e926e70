"""`fxaudit run --fix`: what it prints, what it writes, and that without `--write` no file changes."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from fxaudit.answer.answer import ParameterReport
from fxaudit.answer.finding import Attempt, Finding, Patch
from fxaudit.renderers.text.terminal import render
from fxaudit.report import Report
from tests.cli.processes import Ended, forked

EXAMPLES = Path(__file__).parents[2] / "examples"
ANSWERS = json.loads((EXAMPLES.parent / "tests" / "examples.json").read_text("utf-8"))
BROKEN = [name for name, said in ANSWERS.items() if said["codes"] and not name.startswith("ddp")]
QUICK = ("train_translation.py", "layers_in_a_list.py", "step_missing.py")


def fixed(folder: Path, name: str, *options: str) -> Ended:
    """`fxaudit run --fix` on a copy of an example."""
    if not (folder / name).exists():
        shutil.copy(EXAMPLES / name, folder)
    return forked(["run", "--fix", *options, name], folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in BROKEN])
def test_every_broken_example_gets_a_fix_that_git_takes_and_that_trains(name: str, tmp_path: Path) -> None:
    ended = fixed(tmp_path, name, "-o", "fix.patch", "-o", "report.json")
    assert ended.status == 1, ended.err
    assert (tmp_path / name).read_bytes() == (EXAMPLES / name).read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["fix.patch", "report.json", name])
    findings = json.loads((tmp_path / "report.json").read_text("utf-8"))["findings"]
    assert {finding["patch"]["state"] for finding in findings if finding["level"] == "error"} == {"tried"}
    subprocess.run(["git", "apply", "--check", "fix.patch"], cwd=tmp_path, check=True)
    subprocess.run(["git", "apply", "fix.patch"], cwd=tmp_path, check=True)
    assert forked(["run", "--quiet", name], tmp_path).status == 0


BIG = {
    "gpt2": ("tried", "2 parameters train, nothing else changes its verdict, the loss of step 1 is the same"),
    "resnet50": ("tried", "2 parameters train, nothing else changes its verdict, the loss of step 1 is"),
    "mixture_of_experts": ("untried", "what reads the selection has to take weights then"),
    "ddp": ("untried", "run a second time, without writing anything, the script ended otherwise"),
}
"""The fixes of the big examples. The last one starts its second process itself, which a copy may not."""


@pytest.mark.slow
@pytest.mark.parametrize("name", BIG)
def test_a_big_example_gets_a_fix_that_git_takes(name: str, tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "big" / f"{name}.py", tmp_path)
    options = ["--quiet", "--fix", "-o", "report.json"]
    ended = forked(["run", *options, f"{name}.py"], tmp_path)
    assert ended.status == 1, ended.err
    findings = json.loads((tmp_path / "report.json").read_text("utf-8"))["findings"]
    (patch,) = [finding["patch"] for finding in findings if finding["level"] == "error"]
    state, seen = BIG[name]
    assert patch["state"] == state and patch["seen"].startswith(seen), patch
    subprocess.run(["git", "apply", "--check", "-"], cwd=tmp_path, input=patch["diff"].encode(), check=True)


@pytest.mark.slow
def test_what_is_printed_names_the_file_and_the_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    ended = fixed(tmp_path, "layers_in_a_list.py")
    shown = ended.out.partition("fix, tried:")[2].splitlines()
    assert [line.strip() for line in shown[:4]] == [
        "4 parameters train, nothing else changes its verdict, the loss of step 1 is the same",
        "layers_in_a_list.py",
        "- self.hidden = [nn.Linear(10, 16), nn.Linear(16, 16)]  # <- the defect",
        "+ self.hidden = nn.ModuleList([nn.Linear(10, 16), nn.Linear(16, 16)])  # <- the defect",
    ]


@pytest.mark.slow
def test_write_mends_the_file_and_says_where_the_old_text_is(tmp_path: Path) -> None:
    ended = fixed(tmp_path, "step_missing.py", "--write", "--quiet")
    assert ended.status == 1
    assert "step_missing.py is mended; the text before is in step_missing.py.orig" in ended.err
    assert "    optimizer.step()\n" in (tmp_path / "step_missing.py").read_text("utf-8")
    assert (tmp_path / "step_missing.py.orig").read_bytes() == (EXAMPLES / "step_missing.py").read_bytes()
    assert forked(["run", "--quiet", "step_missing.py"], tmp_path).status == 0


def test_a_healthy_script_gets_no_patch_and_nothing_is_written(tmp_path: Path) -> None:
    ended = fixed(tmp_path, "healthy_mlp.py", "--write", "-o", "fix.patch")
    assert "fix" not in ended.out
    assert "There is no patch to write: nothing was found that needs one." in ended.err
    assert "no fix was seen to work; nothing is written" in ended.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["healthy_mlp.py"]


def test_write_without_fix_is_wrong_usage(tmp_path: Path) -> None:
    ended = forked(["run", "--write", "train.py"], tmp_path)
    assert (ended.status, ended.out) == (2, "")
    assert "--write writes what --fix found: give both" in ended.err


def test_a_patch_without_fix_says_how_to_get_one(tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "step_missing.py", tmp_path)
    ended = forked(["run", "--quiet", "-o", "fix.patch", "step_missing.py"], tmp_path)
    assert ended.status == 2
    assert "`fxaudit run --fix` tries them" in ended.err
    assert not (tmp_path / "fix.patch").exists()


NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(4, 4)]
        self.head = nn.Linear(4, 1)

    def forward(self, x):
        return self.head(torch.tanh(self.layers[0](x)))
"""
MAKE = """
import torch
from nets import Net

def make():
    model, x = Net(), torch.randn(8, 4)
    return model, lambda: model(x).square().mean(), torch.optim.SGD(model.parameters(), lr=0.1)
"""


@pytest.mark.slow
def test_check_makes_everything_again_so_that_constructors_are_tried(tmp_path: Path) -> None:
    (tmp_path / "nets.py").write_text(NET, "utf-8")
    (tmp_path / "train.py").write_text(MAKE, "utf-8")
    ended = forked(["check", "--fix", "-o", "fix.patch", "train.py:make"], tmp_path)
    assert "fix, tried: 2 parameters train, nothing else changes its verdict" in ended.out
    assert "+ self.layers = nn.ModuleList([nn.Linear(4, 4)])" in ended.out
    assert (tmp_path / "nets.py").read_text("utf-8") == NET
    subprocess.run(["git", "apply", "--check", "fix.patch"], cwd=tmp_path, check=True)
    ended = forked(["check", "--fix", "--write", "--quiet", "train.py:make"], tmp_path)
    assert "nets.py is mended" in ended.err
    assert forked(["check", "--quiet", "train.py:make"], tmp_path).status == 0


@pytest.mark.slow
def test_check_of_several_targets_tries_fixes_for_each(tmp_path: Path) -> None:
    (tmp_path / "nets.py").write_text(NET, "utf-8")
    (tmp_path / "train.py").write_text(MAKE + "\nagain = make\n", "utf-8")
    asked = ["train.py:make", "train.py:again"]
    assert forked(["check", "--fix", *asked], tmp_path).out.count("fix, tried:") == 2
    assert forked(["check", "--fix", "--write", *asked], tmp_path).status == 2


def test_verbose_shows_what_was_tried_in_vain(tmp_path: Path) -> None:
    tried = Attempt("--- a/train.py\n+++ b/train.py\n@@ -1 +1 @@\n-a\n+b\n", "`w` is still blocked")
    patch = Patch("failed", seen="the edit that was tried does not mend it", attempts=(tried,))
    finding = Finding("FXA104", "detached-path", "error", "cut", "", ("w",), patch=patch)
    report = Report(parameters={"w": ParameterReport("w", "blocked", "")}, findings=(finding,))
    assert "still blocked" not in render(report)
    assert "tried in vain: `w` is still blocked\n      train.py\n      - a\n      + b\n" in render(report, verbose=True)
    report.save(tmp_path / "report.json")
    shown = forked(["render", "--verbose", "report.json"], tmp_path).out
    assert "tried in vain" in shown and "tried in vain" not in forked(["render", "report.json"], tmp_path).out


FROZEN = """
import torch
from torch import nn

net = nn.ModuleDict({name: nn.Linear(4, 4) for name in ("layer1", "layer10", "layer2")})
for name, parameter in net.named_parameters():
    if name.startswith("layer1"):
        parameter.requires_grad = False
optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)
for _ in range(3):
    optimizer.zero_grad()
    sum(layer(torch.ones(2, 4)).square().mean() for layer in net.values()).backward()
    optimizer.step()
"""


@pytest.mark.slow
def test_what_freezes_more_than_is_expected_is_made_narrower(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(FROZEN, "utf-8")
    expected = ["--expect", "layer1.*=frozen", "--expect", "layer10.*=trained"]
    ended = forked(["run", "--fix", *expected, "train.py"], tmp_path)
    assert '+ if name.startswith("layer1."):' in ended.out, ended.out
    assert "fix, tried: 2 parameters train, nothing else changes its verdict" in ended.out


STOPPING = """
import torch
from torch import nn

GAMMAS = {"gamma": 0.9}
model, x = nn.Linear(4, 1), torch.randn(8, 4)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=5, gamma=0.0)
for _ in range(60):
    optimizer.zero_grad()
    model(x).square().mean().backward()
    optimizer.step()
    scheduler.step()
"""


@pytest.mark.slow
def test_a_schedule_that_ends_at_nothing_gets_the_value_of_another_place(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(STOPPING, "utf-8")
    ended = forked(["run", "--fix", "--to-end", "train.py"], tmp_path)
    assert "warning[FXA411]" in ended.out
    assert "fix, tried: 2 parameters train, nothing else changes its verdict" in ended.out
    assert "+ scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=5, gamma=0.9)" in ended.out.replace(
        "\n", " "
    ).replace("step_size=5,  ", "step_size=5, ")


@pytest.mark.slow
def test_a_write_protected_file_stays_and_the_reason_is_told(tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "step_missing.py", tmp_path)
    (tmp_path / "step_missing.py").chmod(0o444)
    ended = fixed(tmp_path, "step_missing.py", "--write")
    assert ended.status == 2
    assert "fix, tried: 2 parameters train" in ended.out
    assert "write-protected" in ended.err
    assert (tmp_path / "step_missing.py").read_bytes() == (EXAMPLES / "step_missing.py").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["step_missing.py"]


def test_a_script_that_was_changed_while_it_ran_keeps_its_finding_and_gets_no_fix(tmp_path: Path) -> None:
    text = (EXAMPLES / "step_missing.py").read_text("utf-8")
    changing = "open(__file__, 'a').write('# more')\n"
    (tmp_path / "train.py").write_text(text.replace("import torch\n", f"import torch\n{changing}", 1), "utf-8")
    ended = forked(["run", "--fix", "--write", "train.py"], tmp_path)
    assert "error[FXA401]" in ended.out
    assert "fix, failed: train.py was changed since the run began" in ended.out
    assert "no fix was seen to work; nothing is written" in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["train.py"]
