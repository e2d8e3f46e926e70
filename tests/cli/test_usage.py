"""The command line in process, with the script runner and the audit replaced by small fakes."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType

import pytest

from fxaudit import __version__, cli
from fxaudit.answer.answer import ParameterReport
from fxaudit.answer.finding import Finding
from fxaudit.errors import FxauditError, InvalidTargetError, UnknownRuleError, UnwritableOutputError
from fxaudit.program.source import SourceLine
from fxaudit.report import Report
from tests.cli.processes import forked

ERROR = Finding("FXA104", "detached-path", "error", "`w` is detached", "Delete the detach.", ("w",))
WARNING = Finding("FXA404", "never-cleared", "warning", "gradients pile up", "Call zero_grad.", ("w",))
NOTE = Finding("FXA306", "frozen-yet-held", "note", "`w` is frozen, yet held", "Leave it out.", ("w",))


def report_with(*findings: Finding, verdict: str = "trained", **rest: object) -> Report:
    parameter = ParameterReport("w", verdict, "because", shape=(2,), numel=2, findings=findings)  # type: ignore[arg-type]
    return Report(parameters={"w": parameter}, findings=findings, title="train.py", **rest)  # type: ignore[arg-type]


@dataclass
class Backstage:
    """What stands behind the command line in these tests: the report it gets, and how it was asked for."""

    report: Report = field(default_factory=report_with)
    error: Exception | None = None
    during: Callable[[], object] = lambda: None
    asked: list[dict[str, object]] = field(default_factory=list)

    def answer(self, asked: dict[str, object]) -> Report:
        self.asked.append(asked)
        self.during()
        if self.error is not None:
            raise self.error
        return self.report


@pytest.fixture
def backstage(monkeypatch: pytest.MonkeyPatch) -> Backstage:
    stage = Backstage()
    runner, rerun, api, rules, explained = (
        ModuleType(f"fxaudit.{name}") for name in ("run.script", "run.rerun", "api", "judge.rules", "judge.explained")
    )

    def explain(code: str) -> str:
        if code != "FXA104":
            raise UnknownRuleError(f"There is no rule {code!r}; `fxaudit rules` lists them.")
        return "FXA104 detached-path\nThe page."

    @dataclass
    class FakeRule:
        code: str
        name: str
        level: str
        sentence: str

        def title(self) -> str:
            return self.sentence

    runner.run_script = lambda argv, **options: stage.answer({"argv": argv, **options})  # type: ignore[attr-defined]
    rerun.prove_by_rerun = lambda report, argv, module: stage.answer(  # type: ignore[attr-defined]
        {"proved": argv, "module": module}
    )
    api.audit = lambda model, **options: stage.answer({"model": model, **options})  # type: ignore[attr-defined]
    explained.explain = explain  # type: ignore[attr-defined]
    rules.RULES = (  # type: ignore[attr-defined]
        FakeRule("FXA104", "detached-path", "error", "Every path is detached."),
        FakeRule("FXA404", "never-cleared", "warning", "Gradients are never cleared."),
    )
    for module in (runner, rerun, api, rules, explained):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return stage


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., str]:
    def save(report: Report, name: str = "report.json") -> str:
        (tmp_path / name).write_text(report.to_json(), encoding="utf-8")
        return str(tmp_path / name)

    return save


def stderr_of(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


class TestRunGivesTheScriptWhatIsTheScripts:
    @pytest.mark.parametrize(
        ("line", "argv", "module"),
        [
            (["train.py"], ["train.py"], False),
            (["train.py", "--help"], ["train.py", "--help"], False),
            (["train.py", "-o", "x.html", "--steps", "0"], ["train.py", "-o", "x.html", "--steps", "0"], False),
            (["--steps", "3", "train.py", "data", "-m", "--", "-q"], ["train.py", "data", "-m", "--", "-q"], False),
            (["--", "train.py", "--version"], ["train.py", "--version"], False),
            (["-m", "package.train", "--lr", "3"], ["package.train", "--lr", "3"], True),
            (["--to-end", "-m", "package.train", "-m"], ["package.train", "-m"], True),
            (["train.py", "", " "], ["train.py", "", " "], False),
        ],
    )
    def test_everything_after_the_script_is_passed_on(
        self, backstage: Backstage, line: list[str], argv: list[str], module: bool
    ) -> None:
        assert cli.main(["run", "-q", *line]) == 0
        assert backstage.asked[0]["argv"] == argv
        assert backstage.asked[0]["module"] is module

    def test_its_options_reach_the_runner(self, backstage: Backstage) -> None:
        options = ["--steps", "7", "--to-end", "--prove", "--expect", "a.*=frozen", "--expect", "b=c=trained"]
        known = {name: ParameterReport(name, "trained", "because") for name in ("a.weight", "b=c")}
        backstage.report = Report(parameters=known)
        assert cli.main(["run", "-q", *options, "train.py"]) == 0
        asked = backstage.asked[0]
        assert (asked["steps"], asked["to_end"]) == (7, True)
        assert backstage.asked[1] == {"proved": ["train.py"], "module": False}
        assert asked["expect"] == {"a.*": "frozen", "b=c": "trained"}

    def test_without_options_the_runner_decides(self, backstage: Backstage) -> None:
        assert cli.main(["run", "-q", "train.py"]) == 0
        asked = backstage.asked[0]
        assert (asked["steps"], asked["to_end"], asked["expect"]) == (None, False, None)
        assert len(backstage.asked) == 1


class TestTheExitStatus:
    @pytest.mark.parametrize(
        ("report", "options", "status"),
        [
            (report_with(), [], 0),
            (report_with(NOTE), [], 0),
            (report_with(NOTE), ["--fail-on", "note"], 1),
            (report_with(WARNING), [], 0),
            (report_with(WARNING), ["--fail-on", "warning"], 1),
            (report_with(ERROR), [], 1),
            (report_with(ERROR), ["--ignore", "FXA104"], 0),
            (report_with(ERROR), ["--ignore", "fxa104"], 0),
            (report_with(ERROR, WARNING), ["--ignore", "never-cleared"], 1),
            (Report(audited=False), [], 3),
        ],
    )
    def test_is_the_reports_judged_by_the_options(
        self, backstage: Backstage, report: Report, options: list[str], status: int
    ) -> None:
        backstage.report = report
        assert cli.main(["run", "-q", *options, "train.py"]) == status

    @pytest.mark.parametrize(
        ("script_exit", "finding", "status"),
        [
            (None, (), 0),
            ("0", (), 0),
            ("7", (), 7),
            ("ValueError: no such data", (), 1),
            ("7", (ERROR,), 1),
            ("ValueError: no such data", (ERROR,), 1),
        ],
    )
    def test_passes_the_scripts_own_on_only_when_the_audit_has_none(
        self, backstage: Backstage, script_exit: str | None, finding: tuple[Finding, ...], status: int
    ) -> None:
        backstage.report = report_with(*finding, script_exit=script_exit)
        assert cli.main(["run", "-q", "train.py"]) == status

    def test_of_an_unaudited_script_that_died_is_3(self, backstage: Backstage) -> None:
        backstage.report = Report(audited=False, script_exit="ValueError: no such data", traceback="Traceback: …")
        assert cli.main(["run", "-q", "train.py"]) == 3

    def test_of_the_process_is_what_main_returns(self) -> None:
        process = subprocess.run(
            [sys.executable, "-m", "fxaudit", "bogus"], capture_output=True, text=True, check=False
        )
        assert process.returncode == 2
        assert process.stdout == ""
        assert "fxaudit: error: No such command 'bogus'" in process.stderr


class TestOutput:
    def test_is_printed_after_what_the_script_printed(
        self, backstage: Backstage, capsys: pytest.CaptureFixture[str]
    ) -> None:
        backstage.during = lambda: print("epoch 0: loss 1.0")
        backstage.report = report_with(ERROR)
        assert cli.main(["run", "--format", "json", "train.py"]) == 1
        printed = capsys.readouterr()
        first, rest = printed.out.split("\n", 1)
        assert first == "epoch 0: loss 1.0"
        assert json.loads(rest)["findings"][0]["code"] == "FXA104"
        assert printed.err == ""

    def test_goes_to_the_real_stdout_whatever_the_script_did_to_it(
        self, backstage: Backstage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        with (tmp_path / "log.txt").open("w") as log:
            backstage.during = lambda: monkeypatch.setattr(sys, "stdout", log)
            assert cli.main(["run", "--format", "json", "train.py"]) == 0
        monkeypatch.undo()
        assert json.loads(capsys.readouterr().out)["title"] == "train.py"

    @pytest.mark.parametrize(
        ("format_", "expected"), [("terminal", "FXA104"), ("markdown", "FXA104"), ("json", '"FXA104"')]
    )
    def test_has_the_format_asked_for(
        self, backstage: Backstage, capsys: pytest.CaptureFixture[str], format_: str, expected: str
    ) -> None:
        backstage.report = report_with(ERROR, verdict="unreachable")
        assert cli.main(["run", "--format", format_, "train.py"]) == 1
        assert expected in capsys.readouterr().out

    def test_is_coloured_where_colours_are_shown(
        self, backstage: Backstage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("NO_COLOR", raising=False)
        backstage.report = report_with(ERROR, verdict="unreachable")
        cli.main(["run", "train.py"])
        plain = capsys.readouterr().out
        monkeypatch.setenv("FORCE_COLOR", "1")
        cli.main(["run", "train.py"])
        coloured = capsys.readouterr().out
        assert "\x1b[" not in plain
        assert "\x1b[" in coloured
        assert "FXA104" in coloured

    def test_has_no_colour_with_no_color(
        self, backstage: Backstage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("NO_COLOR", "1")
        backstage.report = report_with(ERROR, verdict="unreachable")
        cli.main(["run", "train.py"])
        coloured = re.findall(r"\x1b\[[0-9;]*m", capsys.readouterr().out)
        assert not [code for code in coloured if re.search(r"\b[349][0-7]\b", code)]

    @pytest.mark.parametrize(("asked", "columns"), [("60", 60), ("", 100), ("wide", 100)])
    def test_into_a_pipe_is_as_wide_as_columns_says(
        self,
        backstage: Backstage,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
        asked: str,
        columns: int,
    ) -> None:
        monkeypatch.setenv("COLUMNS", asked)
        backstage.report = report_with(replace(ERROR, fix="word " * 60), verdict="unreachable")
        cli.main(["run", "train.py"])
        widest = max(map(len, capsys.readouterr().out.splitlines()))
        assert columns - 5 <= widest <= columns

    def test_is_nothing_when_quiet(self, backstage: Backstage, capsys: pytest.CaptureFixture[str]) -> None:
        backstage.report = report_with(ERROR)
        assert cli.main(["run", "--quiet", "train.py"]) == 1
        assert capsys.readouterr() == ("", "")

    def test_shows_the_scripts_own_traceback_on_stderr(
        self, backstage: Backstage, capsys: pytest.CaptureFixture[str]
    ) -> None:
        traceback = 'Traceback (most recent call last):\n  File "train.py", line 3\nValueError: no such data\n'
        backstage.report = report_with(traceback=traceback, script_exit="ValueError: no such data")
        assert cli.main(["run", "-q", "train.py"]) == 1
        assert stderr_of(capsys) == traceback

    def test_survives_a_stream_that_cannot_say_every_character(
        self, backstage: Backstage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        with (tmp_path / "out.txt").open("w", encoding="ascii") as out:
            monkeypatch.setattr(sys, "stdout", out)
            backstage.report = replace(report_with(), title="größe.py")
            assert cli.main(["run", "--format", "json", "train.py"]) == 0
        assert "gr??e.py" in (tmp_path / "out.txt").read_text(encoding="ascii")

    def test_whose_reader_left_costs_nothing_but_the_output(self, tmp_path: Path) -> None:
        (tmp_path / "report.json").write_text(report_with(ERROR).to_json(), encoding="utf-8")
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "w") as pipe:
            process = subprocess.run(
                [sys.executable, "-m", "fxaudit", "render", "--format", "json", str(tmp_path / "report.json")],
                stdout=pipe,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        assert process.stderr == ""
        assert process.returncode == 0


class TestFilesAreCheckedBeforeTheScriptRuns:
    def assert_refused(self, backstage: Backstage, output: str | Path, capsys: pytest.CaptureFixture[str]) -> str:
        assert cli.main(["run", "-o", str(output), "train.py"]) == 2
        assert backstage.asked == []
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.startswith("fxaudit: error: ")
        return printed.err

    def test_an_unknown_suffix_is_refused(
        self, backstage: Backstage, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        told = self.assert_refused(backstage, tmp_path / "report.docx", capsys)
        assert "report.docx" in told
        assert ".html" in told

    def test_a_name_without_suffix_is_refused(
        self, backstage: Backstage, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        assert ".html" in self.assert_refused(backstage, tmp_path / "report", capsys)

    def test_a_directory_that_is_not_there_is_refused(
        self, backstage: Backstage, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        told = self.assert_refused(backstage, tmp_path / "absent" / "report.json", capsys)
        assert f"there is no directory {str(tmp_path / 'absent')!r}" in told

    def test_a_directory_in_the_files_place_is_refused(
        self, backstage: Backstage, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        (tmp_path / "report.json").mkdir()
        assert "that is a directory" in self.assert_refused(backstage, tmp_path / "report.json", capsys)

    @pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a directory that not even root can write to")
    def test_a_directory_that_takes_no_files_is_refused(
        self, backstage: Backstage, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert "cannot be written to" in self.assert_refused(backstage, "/proc/self/report.json", capsys)

    def test_one_bad_file_among_several_is_enough(
        self, backstage: Backstage, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        assert cli.main(["run", "-o", str(tmp_path / "a.json"), "-o", str(tmp_path / "b.docx"), "train.py"]) == 2
        assert backstage.asked == []
        assert list(tmp_path.iterdir()) == []

    def test_checking_leaves_nothing_behind_and_an_old_file_as_it_was(
        self, backstage: Backstage, tmp_path: Path
    ) -> None:
        (tmp_path / "old.json").write_text("old")
        backstage.error = InvalidTargetError("There is no script 'train.py'.")
        assert cli.main(["run", "-o", str(tmp_path / "old.json"), "-o", str(tmp_path / "new.json"), "train.py"]) == 2
        assert [path.name for path in tmp_path.iterdir()] == ["old.json"]
        assert (tmp_path / "old.json").read_text() == "old"

    def test_good_files_are_all_written(self, backstage: Backstage, tmp_path: Path) -> None:
        outputs = [tmp_path / name for name in ("a.json", "b.md", "c.json")]
        assert cli.main(["run", "-q", *(word for path in outputs for word in ("-o", str(path))), "train.py"]) == 0
        assert Report.from_json(outputs[0].read_text(encoding="utf-8")).title == "train.py"
        assert all(path.stat().st_size for path in outputs)

    def test_a_script_that_changes_directory_does_not_move_them(
        self, backstage: Backstage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path)
        backstage.during = lambda: os.chdir(tmp_path / "elsewhere")
        assert cli.main(["run", "-q", "-o", "report.json", "train.py"]) == 0
        assert (tmp_path / "report.json").is_file()

    def test_a_file_that_fails_after_all_keeps_neither_the_others_nor_the_report_back(
        self,
        backstage: Backstage,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        real = Report.save

        def save(report: Report, path: Path) -> Path:
            if path.name == "full.json":
                raise UnwritableOutputError("Cannot write 'full.json': No space left on device.")
            return real(report, path)

        monkeypatch.setattr(Report, "save", save)
        full, fine = tmp_path / "full.json", tmp_path / "fine.json"
        assert cli.main(["run", "--format", "json", "-o", str(full), "-o", str(fine), "train.py"]) == 2
        printed = capsys.readouterr()
        assert fine.is_file()
        assert json.loads(printed.out)["title"] == "train.py"
        assert printed.err == "fxaudit: error: Cannot write 'full.json': No space left on device.\n"


class TestWrongUsage:
    @pytest.mark.parametrize(
        ("line", "told"),
        [
            ([], "Missing command"),
            (["bogus"], "No such command 'bogus'"),
            (["run"], "fxaudit run [options] script.py [args...]\nfxaudit: error: no script given to run"),
            (["run", "-m"], "fxaudit: error: no module given; -m expects its name"),
            (["run", "--bogus", "train.py"], "No such option '--bogus'"),
            (["run", "--steps", "0", "train.py"], "0 is not in the range x>=1"),
            (["run", "--steps", "many", "train.py"], "'many' is not a valid integer"),
            (["run", "--fail-on", "never", "train.py"], "'never' is not one of 'error', 'warning', 'note'"),
            (["run", "--format", "pdf", "train.py"], "'pdf' is not one of 'terminal', 'brief', 'markdown', 'json'"),
            (["run", "--ignore", "FXA999", "train.py"], "'FXA999' is no rule's code or name"),
            (["run", "--expect", "backbone", "train.py"], "--expect 'backbone' is no expectation"),
            (["run", "--expect", "=frozen", "train.py"], "--expect '=frozen' is no expectation"),
            (["run", "--expect", "a=melted", "train.py"], "expected PATTERN=VERDICT, such as 'backbone.*=frozen'"),
            (["check"], "Missing argument 'TARGET...'"),
            (["explain", "FXA999"], "There is no rule 'FXA999'"),
            (["diff", "old.json"], "Missing argument 'NEW_JSON'"),
        ],
    )
    def test_ends_with_2_and_names_what_was_given(
        self, backstage: Backstage, capsys: pytest.CaptureFixture[str], line: list[str], told: str
    ) -> None:
        assert cli.main(line) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert told in printed.err
        assert printed.err.splitlines()[-1].startswith("fxaudit: error: ")
        assert backstage.asked == []

    @pytest.mark.parametrize(
        "message",
        [
            "There is no script 'train.py'; expected a Python file.",
            "train.py:3: SyntaxError: '(' was never closed\n    print(\n         ^",
        ],
    )
    def test_a_script_that_cannot_run_is_told_as_the_runner_tells_it(
        self, backstage: Backstage, capsys: pytest.CaptureFixture[str], message: str
    ) -> None:
        backstage.error = InvalidTargetError(message)
        assert cli.main(["run", "train.py"]) == 2
        assert capsys.readouterr() == ("", f"fxaudit: error: {message}\n")

    def test_ctrl_c_ends_with_130(self, backstage: Backstage) -> None:
        def interrupt() -> None:
            raise KeyboardInterrupt

        backstage.during = interrupt
        assert cli.main(["run", "train.py"]) == 130


class TestHelpAndVersion:
    @pytest.mark.parametrize(
        "command", [[], ["run"], ["check"], ["trace"], ["render"], ["diff"], ["explain"], ["rules"]]
    )
    def test_help_is_returned_as_success(self, command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main([*command, "--help"]) == 0
        assert "Usage: fxaudit" in capsys.readouterr().out

    def test_version_is_the_packages(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main(["--version"]) == 0
        assert capsys.readouterr().out == f"fxaudit {__version__}\n"


TARGETS = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 1)

class NeedsSize(nn.Module):
    def __init__(self, size):
        super().__init__()

net = Net()

def make():
    model = Net()
    return model, model.linear.weight.sum(), torch.optim.SGD(model.parameters(), lr=0.1)

def make_dict():
    return {"model": Net(), "inputs": (torch.ones(1, 2),), "expect": {"linear.weight": "frozen"}}

def make_unknown():
    return {"model": Net(), "modle": 1}

def make_nothing():
    return None

def make_long():
    return Net(), 1, 2, 3

def needs(size):
    return Net()

def fails():
    raise RuntimeError("no data here")

def exits():
    raise SystemExit(4)

answer = 42
"""


class TestTargets:
    @pytest.fixture
    def file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
        (tmp_path / "my_targets.py").write_text(TARGETS)
        monkeypatch.setattr(sys, "path", sys.path.copy())
        monkeypatch.delitem(sys.modules, "my_targets", raising=False)
        monkeypatch.chdir(tmp_path)
        return "my_targets.py"

    @pytest.mark.parametrize("place", ["my_targets.py", "my_targets", "./my_targets.py"])
    def test_a_callable_is_found_in_a_file_or_a_module(self, backstage: Backstage, file: str, place: str) -> None:
        assert cli.main(["check", "-q", f"{place}:make"]) == 0
        assert {"model", "loss", "optimizer"} == backstage.asked[0].keys()
        assert type(backstage.asked[0]["model"]).__name__ == "Net"

    def test_the_command_lines_options_join_the_targets_own(self, backstage: Backstage, file: str) -> None:
        options = ["--steps", "2", "--no-prove", "--expect", "linear.bias=frozen"]
        assert cli.main(["check", "-q", *options, f"{file}:make_dict"]) == 0
        asked = backstage.asked[0]
        assert asked["expect"] == {"linear.weight": "frozen", "linear.bias": "frozen"}
        assert (asked["steps"], asked["prove"]) == (2, False)
        assert "inputs" in asked

    @pytest.mark.parametrize("name", ["Net", "net", "make", "make_dict"])
    def test_trace_hands_over_the_module_alone(self, backstage: Backstage, file: str, name: str) -> None:
        assert cli.main(["trace", "-q", f"{file}:{name}"]) == 0
        assert backstage.asked[0].keys() == {"model"}
        assert type(backstage.asked[0]["model"]).__name__ == "Net"

    @pytest.mark.parametrize(
        ("target", "told"),
        [
            ("my_targets.py", "expected `module:callable` or `file.py:callable`, such as `train.py:make`"),
            ("my_targets.py:", "expected `module:callable` or `file.py:callable`"),
            (":make", "expected `module:callable` or `file.py:callable`"),
            ("absent.py:make", "There is no file 'absent.py'"),
            ("absent_package.train:make", "There is no module 'absent_package' on the path"),
            ("my_targets.py:mkae", "my_targets.py has no 'mkae'. Did you mean my_targets.py:make?"),
            ("my_targets.py:answer", "my_targets.py:answer is a value of type int, nothing that can be called"),
            ("my_targets.py:needs", "cannot be called without arguments: missing a required argument: 'size'"),
            ("my_targets.py:NeedsSize", "cannot be called without arguments: missing a required argument: 'size'"),
            ("my_targets.py:make_nothing", "my_targets.py:make_nothing returned None; expected a module, a tuple"),
            ("my_targets.py:make_long", "returned a tuple of 4; expected (model, loss, optimizer)"),
            ("my_targets.py:make_unknown", "returned a dict with the unknown key 'modle'; it may hold model, loss"),
            ("my_targets.py:fails", "Calling my_targets.py:fails failed.\nTraceback (most recent call last):"),
            ("my_targets.py:exits", "Calling my_targets.py:exits failed.\nTraceback (most recent call last):"),
        ],
    )
    def test_what_cannot_be_used_is_told_with_what_was_expected(
        self, backstage: Backstage, file: str, capsys: pytest.CaptureFixture[str], target: str, told: str
    ) -> None:
        assert cli.main(["check", target]) == 2
        assert told in stderr_of(capsys)
        assert backstage.asked == []

    def test_the_targets_own_error_is_shown_without_our_frames(
        self, backstage: Backstage, file: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        cli.main(["check", f"{file}:fails"])
        told = stderr_of(capsys)
        assert told.endswith("RuntimeError: no data here\n")
        assert 'my_targets.py", line' in told
        assert f"fxaudit{os.sep}targets.py" not in told

    def test_a_file_that_does_not_compile_is_told_with_its_line(
        self, backstage: Backstage, tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "broken.py").write_text("import torch\ndef make(:\n    pass\n")
        assert cli.main(["check", "broken.py:make"]) == 2
        told = stderr_of(capsys)
        assert 'broken.py", line 2' in told
        assert "SyntaxError" in told
        assert "broken" not in sys.modules

    def test_a_module_that_misses_one_of_its_own_imports_says_which(
        self, backstage: Backstage, tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "needs_more.py").write_text("import something_absent\n")
        assert cli.main(["check", "needs_more:make"]) == 2
        assert "No module named 'something_absent'" in stderr_of(capsys)

    def test_what_the_users_forward_raises_is_shown_and_ends_with_3(
        self, backstage: Backstage, file: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        backstage.error = RuntimeError("mat1 and mat2 shapes cannot be multiplied")
        assert cli.main(["check", f"{file}:make"]) == 3
        told = stderr_of(capsys)
        assert "RuntimeError: mat1 and mat2 shapes cannot be multiplied" in told
        assert told.splitlines()[-1].startswith(f"fxaudit: error: nothing could be audited: {file}:make raised")

    def test_misuse_of_audit_ends_with_2(
        self, backstage: Backstage, file: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        backstage.error = FxauditError("The model holds no parameter.")
        assert cli.main(["check", f"{file}:make"]) == 2
        assert stderr_of(capsys) == "fxaudit: error: The model holds no parameter.\n"

    def test_a_dict_may_hold_what_audit_takes(self) -> None:
        api = pytest.importorskip("fxaudit.api")
        from fxaudit.cli.targets import KEYWORDS

        assert set(KEYWORDS) <= set(inspect.signature(api.audit).parameters)


class TestSavedReports:
    def test_are_rendered_to_stdout(self, saved: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main(["render", saved(report_with(ERROR)), "--format", "json"]) == 0
        assert json.loads(capsys.readouterr().out)["findings"][0]["code"] == "FXA104"

    def test_are_rendered_to_files(self, saved: Callable[..., str], tmp_path: Path) -> None:
        out = tmp_path / "again.json"
        assert cli.main(["render", saved(report_with(ERROR)), "-o", str(out)]) == 0
        assert Report.from_json(out.read_text(encoding="utf-8")).findings == (ERROR,)

    def test_are_drawn_for_one_parameter(self, saved: Callable[..., str], tmp_path: Path) -> None:
        pytest.importorskip("fxaudit.renderers.picture.draw")
        out = tmp_path / "why.dot"
        assert cli.main(["render", saved(report_with(ERROR)), "-o", str(out), "--parameter", "w"]) == 0
        assert "digraph" in out.read_text(encoding="utf-8")

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            (None, "No such file or directory. Expected a report saved with -o NAME.json."),
            (b"{", "it is not JSON"),
            (b"\xff\xfe\x00", "it is not UTF-8 text"),
            (b"[1, 2]", "it has no `schema_version`"),
            (b'{"schema_version": 99}', "schema version 99"),
            (b'{"schema_version": 1}', "The report is damaged"),
        ],
    )
    @pytest.mark.parametrize("command", ["render", "diff"])
    def test_that_are_none_are_refused(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, content: bytes | None, told: str
    ) -> None:
        path = tmp_path / "report.json"
        if content is not None:
            path.write_bytes(content)
        assert cli.main([command, str(path), *([str(path)] if command == "diff" else [])]) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.startswith("fxaudit: error: ")
        assert "report.json" in printed.err
        assert told in printed.err

    @pytest.mark.parametrize(("outputs", "given"), [([], "no file"), (["-o", "why.json"], "why.json")])
    def test_are_drawn_only_into_pictures(
        self,
        saved: Callable[..., str],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        outputs: list[str],
        given: str,
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert cli.main(["render", saved(report_with()), "--parameter", "w", *outputs]) == 2
        assert f"one of the suffixes .svg, .png, .pdf, .dot, got {given}" in stderr_of(capsys)

    def test_are_compared_and_worse_is_1(self, saved: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
        where = SourceLine("train.py", 3, "main", "h = h.detach()")
        good = saved(report_with(), "good.json")
        bad = saved(report_with(replace(ERROR, culprit=where), verdict="unreachable"), "bad.json")
        assert cli.main(["diff", good, bad]) == 1
        told = capsys.readouterr().out
        assert "w: trained -> unreachable" in told
        assert "new: FXA104 `w` is detached (train.py:3)" in told
        assert cli.main(["diff", bad, good]) == 0
        assert "fixed: FXA104" in capsys.readouterr().out
        assert cli.main(["diff", good, good]) == 0
        assert "No verdict and no cause changed." in capsys.readouterr().out


class TestRules:
    def test_are_listed_one_a_line(self, backstage: Backstage, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main(["rules"]) == 0
        assert capsys.readouterr().out.splitlines() == [
            "FXA104  error    detached-path  Every path is detached.",
            "FXA404  warning  never-cleared  Gradients are never cleared.",
        ]

    def test_are_listed_by_code(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main(["rules"]) == 0
        codes = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
        assert len(codes) > 40
        assert codes == sorted(codes)

    def test_are_explained(self, backstage: Backstage, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main(["explain", "FXA104"]) == 0
        assert capsys.readouterr().out == "FXA104 detached-path\nThe page.\n"


def test_diff_prints_no_control_characters_of_a_hostile_name(
    saved: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = Report({"w\x1b[31m": ParameterReport("w\x1b[31m", "stale", "")})
    assert cli.main(["diff", saved(Report(), "a.json"), saved(hostile, "b.json")]) == 1
    assert capsys.readouterr().out == "w\\x1b[31m: absent -> stale\n"


def test_ignored_findings_leave_the_files_too(backstage: Backstage, tmp_path: Path) -> None:
    backstage.report = report_with(ERROR, WARNING)
    out = tmp_path / "report.json"
    assert cli.main(["run", "-q", "--ignore", "FXA104", "-o", str(out), "train.py"]) == 0
    read = Report.from_json(out.read_text(encoding="utf-8"))
    assert [finding.code for finding in read.findings] == ["FXA404"]
    assert [finding.code for finding in read["w"].findings] == ["FXA404"]


@pytest.mark.parametrize(
    "line", [["--help"], ["run", "--help"], ["render", "SAVED", "--format", "json"], ["diff", "SAVED", "SAVED"]]
)
def test_commands_that_run_no_model_import_no_torch(saved: Callable[..., str], line: list[str]) -> None:
    words = [saved(report_with()) if word == "SAVED" else word for word in line]
    script = f"import sys; from fxaudit.cli.commands import main; main({words!r}); sys.exit('torch' in sys.modules)"
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr


def test_run_refuses_an_expectation_that_matches_nothing_and_still_reports(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import torch\nmodel = torch.nn.Linear(2, 1)\nopt = torch.optim.SGD(model.parameters(), 0.1)\n"
        "for _ in range(3):\n    opt.zero_grad(); model(torch.ones(1, 2)).sum().backward(); opt.step()\n",
        encoding="utf-8",
    )
    ended = forked(["run", "--expect", "weigth=frozen", "-o", "report.json", "train.py"], tmp_path)
    assert ended.status == 2
    assert "'weigth' matches no parameter. There are: weight" in ended.err
    assert (tmp_path / "report.json").is_file()
    assert "2 parameters" in ended.out
    assert forked(["run", "-q", "--expect", "weight=trained", "train.py"], tmp_path).status == 0


def test_explain_renders_the_page_in_a_terminal_and_prints_its_text_elsewhere(
    backstage: Backstage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert cli.main(["explain", "FXA104"]) == 0
    assert capsys.readouterr().out.strip() == "FXA104 detached-path The page."  # one paragraph of Markdown
    monkeypatch.delenv("FORCE_COLOR")
    assert cli.main(["explain", "FXA104"]) == 0
    assert capsys.readouterr().out == "FXA104 detached-path\nThe page.\n"
