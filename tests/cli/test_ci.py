"""Several targets in one command, the GitHub action, and the hooks for pre-commit."""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fxaudit import cli
from fxaudit.report import Report
from tests.cli.processes import Ended, forked
from tests.pages import ROOT, blocks, page

BAD = """import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(4, 4), nn.Linear(4, 1)

    def forward(self, x):
        h = self.first(x).detach()
        return self.last(h)


def make():
    print("made")
    net, x = Net(), torch.randn(8, 4)
    return net, lambda: net(x).square().mean(), torch.optim.SGD(net.parameters(), lr=0.1)


def broken():
    raise ZeroDivisionError("on purpose")
"""
GOOD = BAD.replace(".detach()", "")
LOOP = """

if __name__ == "__main__":
    import sys

    net, loss, optimizer = make()
    print(sys.argv[1:])
    for _ in range(3):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text(BAD, encoding="utf-8")
    (tmp_path / "models.py").write_text(GOOD, encoding="utf-8")
    return tmp_path


def check(project: Path, *words: str) -> Ended:
    return forked(["check", *words], project)


@pytest.mark.slow
def test_several_targets_are_one_report(project: Path) -> None:
    outputs = [f"out.{suffix}" for suffix in ("json", "html", "sarif", "xml", "md", "txt")]
    options = [word for output in outputs for word in ("-o", output)]
    ended = check(project, *options, "--jobs", "2", "train.py:make", "models:make", "train.py:make")
    assert ended.status == 1, ended.err
    assert ended.out.startswith("made\nmade\ntrain.py:make and models:make: 2 of 8 parameters, ")
    report = Report.from_json((project / "out.json").read_text(encoding="utf-8"))
    assert report["train:make.first.weight"].verdict == "unreachable"
    assert report["models:make.first.weight"].verdict == "trained"
    (finding,) = report.findings
    assert set(finding.parameters) == {"train:make.first.weight", "train:make.first.bias"}
    assert str(finding.culprit) == "train.py:11"
    assert report["train:make.first.weight"].findings == (finding,)
    assert [output for output in outputs if not (project / output).stat().st_size] == []


@pytest.mark.slow
def test_what_goes_wrong_in_one_leaves_the_others_alone(project: Path) -> None:
    ended = check(project, "-q", "-o", "out.json", "models.py:make", "train.py:broken", "train.py:mak")
    assert ended.status == 2
    assert "ZeroDivisionError: on purpose" in ended.err
    assert "fxaudit: error: train.py has no 'mak'. Did you mean train.py:make?" in ended.err
    report = Report.from_json((project / "out.json").read_text(encoding="utf-8"))
    assert report.verdicts() == {"trained": 4}


@pytest.mark.slow
def test_settings_and_baseline_hold_for_each_target(project: Path) -> None:
    settings = '[tool.fxaudit.expect]\n"last.*" = "frozen"\n[tool.fxaudit.ignore]\nFXA601 = "meant"\n'
    (project / "pyproject.toml").write_text(settings, encoding="utf-8")
    targets = ["train.py:make", "models.py:make"]
    known = ["--baseline", "known.json"]
    first = check(project, "-o", "out.json", *known, "--update-baseline", *targets)
    assert first.status == 0, first.err
    assert list(json.loads((project / "known.json").read_text(encoding="utf-8"))["targets"]) == ["train.py:make"]
    notes = Report.from_json((project / "out.json").read_text(encoding="utf-8")).notes
    assert [note for note in notes if note.startswith("models.py:make: 1 finding of FXA601")]
    (project / "models.py").write_text(BAD, encoding="utf-8")
    assert check(project, *known, *targets).status == 1


def test_a_target_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check"]) == 2
    assert "Missing argument 'TARGET...'" in capsys.readouterr().err


@pytest.mark.slow
def test_the_pages_commands_work_as_written(project: Path) -> None:
    lines = [line for block in blocks(page("ci"), "sh") for line in block.splitlines()]
    assert [forked(shlex.split(line)[1:], project).status for line in lines] == [1, 1, 0, 0]


def parsed(text: str) -> Any:
    yaml = pytest.importorskip("yaml")
    return yaml.safe_load(text)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "options", "target", "status", "says"),
    [
        ("check", "--jobs 2", "train.py:make models.py:make", "1", "::error file=train.py,line=11,"),
        ("check", "", "models.py:make", "0", "All 4 parameters will be updated."),
        ("run", "--steps 2", "loop.py *", "0", "['*']"),
        ("check", "", "nowhere.py:make", "2", "There is no file 'nowhere.py'"),
    ],
)
def test_the_action_runs_annotates_and_sums_up(
    command: str, options: str, target: str, status: str, says: str, project: Path
) -> None:
    (project / "loop.py").write_text(GOOD + LOOP, encoding="utf-8")
    action = parsed((ROOT / "action.yml").read_text(encoding="utf-8"))
    given = {"command": command, "options": options, "target": target, "sarif": "fxaudit.sarif"}
    (step,) = [step for step in action["runs"]["steps"] if step.get("id") == "audit"]
    asked = {key: given[value.removeprefix("${{ inputs.").removesuffix(" }}")] for key, value in step["env"].items()}
    folder = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, **asked, "PATH": folder, "PYTHONPATH": str(ROOT)}
    environment |= {"GITHUB_STEP_SUMMARY": str(project / "summary"), "GITHUB_OUTPUT": str(project / "output")}
    bash = shutil.which("bash")
    assert bash is not None
    shell = [bash, "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]  # as a runner calls it
    process = subprocess.run(shell, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    assert (project / "output").read_text(encoding="utf-8") == f"status={status}\n"
    assert says in process.stdout + process.stderr
    if status != "2":
        assert (project / "summary").read_text(encoding="utf-8").startswith("#")
        assert json.loads((project / "fxaudit.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"


def test_what_the_page_gives_to_the_action_and_the_hooks_is_known_to_them() -> None:
    workflow, hooks = (parsed(block) for block in blocks(page("ci"), "yaml"))
    action = parsed((ROOT / "action.yml").read_text(encoding="utf-8"))
    (used,) = [step for step in workflow["jobs"]["parameters"]["steps"] if "fxaudit" in step.get("uses", "")]
    assert used["with"].keys() <= action["inputs"].keys()
    offered = {hook["id"]: hook for hook in parsed((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))}
    assert {hook["id"] for hook in hooks["repos"][0]["hooks"]} == offered.keys()
    for hook in offered.values():
        _, command, *_ = shlex.split(hook["entry"])
        assert command in cli.commands.commands.commands


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("pre_commit") is None, reason="needs pre-commit")
def test_the_hooks_run_under_pre_commit(project: Path) -> None:
    def git(folder: Path, *words: str) -> None:
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)

    hooks = project / "hooks"
    hooks.mkdir()
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", hooks)
    home = project / "home"
    home.mkdir()
    for folder in (hooks, project):
        git(folder, "init", "-q")
        if folder == project:
            config = f"repos:\n- repo: {hooks}\n  rev: v1\n  hooks:\n  - id: fxaudit-check\n    args: [train.py:make]\n"
            (project / ".pre-commit-config.yaml").write_text(config, encoding="utf-8")
            (project / ".gitignore").write_text("hooks\nhome\nbin\n", encoding="utf-8")
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", "begun")
    git(hooks, "tag", "v1")
    command = project / "bin" / "fxaudit"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m fxaudit "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    environment = {**os.environ, "PRE_COMMIT_HOME": str(home), "PYTHONPATH": str(ROOT)}
    environment["PATH"] = os.pathsep.join([str(command.parent), os.environ["PATH"]])
    process = subprocess.run(
        [sys.executable, "-m", "pre_commit", "run", "--all-files"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1, process.stdout + process.stderr
    assert "train.py:11:13: error[FXA104] detached-path" in process.stdout
