"""`--fix` under a launcher: a trial starts as many processes anew."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from fxaudit.run.rank_trials import RankTrials, why_untriable
from tests.cli.processes import together

EXAMPLE = Path(__file__).parents[2] / "examples" / "ddp_train.py"

pytestmark = pytest.mark.alone


@pytest.mark.slow
def test_the_example_of_several_processes_gets_a_fix_that_git_takes(tmp_path: Path) -> None:
    shutil.copy(EXAMPLE, tmp_path)
    ended = together(["run", "--quiet", "--fix", "-o", "fix.patch", "-o", "report.json", EXAMPLE.name], tmp_path)
    assert ended.status == 1, ended.err
    assert sorted(path.name for path in tmp_path.iterdir()) == [EXAMPLE.name, "fix.patch", "report.json"]
    findings = json.loads((tmp_path / "report.json").read_text("utf-8"))["findings"]
    (patch,) = [finding["patch"] for finding in findings if finding["level"] == "error"]
    assert (patch["state"], patch["seen"]) == ("tried", "2 parameters train, nothing else changes its verdict")
    subprocess.run(["git", "apply", "--check", "fix.patch"], cwd=tmp_path, check=True)
    subprocess.run(["git", "apply", "fix.patch"], cwd=tmp_path, check=True)
    assert together(["run", "--quiet", EXAMPLE.name], tmp_path).status == 0


@pytest.mark.slow
def test_a_trial_that_hangs_is_ended_with_all_its_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fxaudit.run.trial.AT_LEAST", 4.0)
    (tmp_path / "train.py").write_text("import time\ntime.sleep(1000)\n", "utf-8")
    begun = time.monotonic()
    ran = RankTrials(["train.py"], cwd=str(tmp_path), alone=0.1).run({})
    assert (ran.answer, ran.why) == (None, "it did not end within 4 seconds")
    assert time.monotonic() - begun < 30
    assert [path.name for path in tmp_path.iterdir()] == ["train.py"]


def test_no_trial_is_begun_when_the_launcher_ends_the_processes(tmp_path: Path) -> None:
    ran = RankTrials(["train.py"], cwd=str(tmp_path), is_in_haste=lambda: True).run({})
    assert (ran.answer, ran.why) == (None, "the launcher ended the script's processes")


def test_trials_are_made_where_all_processes_are_on_this_machine() -> None:
    assert why_untriable({"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}) == ""
    assert why_untriable({"WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2"}) == "its processes are on several machines"
    assert "nothing tells" in why_untriable({"WORLD_SIZE": "2"})
