"""`[tool.fxaudit]`, comments that leave a finding out, and baselines."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from fxaudit import cli
from fxaudit.answer.finding import Finding
from fxaudit.answer.leaving_out import Baseline, comment_on, fingerprint, without
from fxaudit.answer.together import together
from fxaudit.cli.configuration import settings
from fxaudit.errors import InvalidOptionError
from fxaudit.program.source import SourceLine, count_as_own, is_library
from fxaudit.report import Report
from tests.cli.processes import Ended, forked
from tests.pages import blocks, page

SCRIPT = """import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone, self.probe, self.head = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x):
        h = self.backbone(x).detach()
        p = self.probe(x).detach()
        return self.head(h + p)


net = Net()
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(4):
    opt.zero_grad()
    net(torch.randn(3, 4)).square().mean().backward()
    opt.step()
"""
BACKBONE, PROBE = "h = self.backbone(x).detach()", "p = self.probe(x).detach()"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text(SCRIPT, encoding="utf-8")
    return tmp_path


def run(project: Path, *options: str) -> Ended:
    return forked(["run", "-o", "out.json", *options, "train.py"], project)


def found(project: Path) -> list[str]:
    """The codes of what the last run found, with the first parameter of each."""
    report = Report.from_json((project / "out.json").read_text(encoding="utf-8"))
    return [f"{finding.code} {finding.parameters[0].partition('.')[0]}" for finding in report.findings]


def notes(project: Path) -> str:
    return "\n".join(Report.from_json((project / "out.json").read_text(encoding="utf-8")).notes)


def write(project: Path, text: str) -> None:
    (project / "pyproject.toml").write_text(text, encoding="utf-8")


class TestSettings:
    def test_they_are_read_from_the_nearest_file_upwards(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(tmp_path, '[tool.fxaudit]\nfail-on = "note"\nsteps = 7\noutputs = ["a.html"]\n')
        (tmp_path / "deep" / "down").mkdir(parents=True)
        monkeypatch.chdir(tmp_path / "deep" / "down")
        known = settings()
        assert (known.fail_on, known.steps, known.outputs) == ("note", 7, (tmp_path / "a.html",))
        write(tmp_path / "deep", "[project]\nname = 'x'\n")
        assert settings().steps is None

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ('fail_on = "error"', "has the unknown key 'fail_on'; did you mean 'fail-on'?"),
            ("colour = 1", "the unknown key 'colour'"),
            ('fail-on = "eror"', "`fail-on` in [tool.fxaudit]: it is 'eror'; did you mean 'error'?"),
            ("steps = 0", "it is 0. Expected: a number of steps, 1 or more."),
            ('outputs = "a.html"', "it is 'a.html'. Expected: a list of texts."),
            ('outputs = ["a.docx"]', "`outputs` in [tool.fxaudit]: No report format fits 'a.docx'"),
            ('roots = ["nowhere"]', "it names 'nowhere', and there is no such folder"),
            ('expect = {a = "frozn"}', "it expects 'frozn' of 'a'; did you mean 'frozen'?"),
            ('ignore = {FXA140 = "x"}', "'FXA140' is no rule's code or name"),
            ('ignore = {FXA140 = "x"}', "Did you mean FXA410?"),
            ('ignore = {detached-pth = "x"}', "Did you mean detached-path?"),
            ('ignore = {FXA104 = " "}', "it gives no reason for FXA104"),
            ('ignore = ["FXA104"]', "Expected: a table such as"),
            ("steps =", "is no TOML"),
        ],
    )
    def test_what_is_no_setting_is_refused_with_the_nearest(
        self,
        text: str,
        message: str,
        project: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.chdir(project)
        write(project, f"[tool.fxaudit]\n{text}\n")
        for command in (["config"], ["run", "train.py"]):
            assert cli.main(command) == 2
            told = capsys.readouterr().err
            assert message in told
            assert len(told.strip().splitlines()) == 1
            assert "pyproject.toml" in told

    def test_config_prints_what_holds_and_from_where(
        self, project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(project)
        write(project, '[tool.fxaudit]\nsteps = 7\n[tool.fxaudit.ignore]\nFXA5 = "noise"\nFXA104 = "a probe"\n')
        assert cli.main(["config"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert "ignore    FXA5 = noise  (pyproject.toml)" in lines
        assert "          FXA104 = a probe" in lines
        assert "steps     7  (pyproject.toml)" in lines
        assert "fail-on   error  (default)" in lines

    def test_they_hold_for_a_run_and_options_go_before_them(self, project: Path) -> None:
        write(
            project,
            '[tool.fxaudit]\noutputs = ["out.json"]\nignore = {FXA1 = "our cuts are meant"}\n'
            'expect = {"nobody.*" = "frozen"}\nsteps = 2\n',
        )
        ended = forked(["run", "train.py"], project)
        assert ended.status == 0, ended.err
        assert found(project) == []
        assert "2 findings of FXA104 detached-path left out by rule: our cuts are meant." in notes(project)
        assert "the findings are left out, see the notes." in " ".join(ended.out.split())
        assert "3 steps" not in ended.out
        other = forked(["run", "-o", "other.json", "--expect", "backbone.*=trained", "train.py"], project)
        assert other.status == 1
        assert (project / "other.json").exists()
        (project / "pyproject.toml").unlink()
        assert run(project).status == 1

    def test_check_asks_only_for_the_patterns_that_mean_something_there(self, project: Path) -> None:
        text = SCRIPT.partition("for _ in")[0] + "x = torch.randn(3, 4)\n\n\ndef make():\n"
        (project / "train.py").write_text(text + "    return net, lambda: net(x).sum(), opt\n", encoding="utf-8")
        write(project, '[tool.fxaudit.expect]\n"nobody.*" = "frozen"\n"probe.*" = "unreachable"\n')
        ended = forked(["check", "-o", "out.json", "train.py:make"], project)
        assert ended.status == 1, ended.err
        assert found(project) == ["FXA104 backbone"]
        ended = forked(["check", "--expect", "nobdy.*=frozen", "train.py:make"], project)
        assert ended.status == 2

    def test_a_folder_may_count_as_ones_own(self, tmp_path: Path) -> None:
        file = str(tmp_path / "site-packages" / "ours" / "model.py")
        assert is_library(file)
        try:
            count_as_own([tmp_path / "site-packages" / "ours"])
            assert not is_library(file)
            assert is_library(str(tmp_path / "site-packages" / "theirs.py"))
        finally:
            count_as_own([])
        assert is_library(file)


class TestComments:
    @pytest.mark.parametrize(
        ("comment", "codes", "reason"),
        [
            ("# fxaudit: ignore[FXA104] a probe", ("FXA104",), "a probe"),
            ("# probe  # fxaudit:ignore [FXA104, FXA1] - a probe", ("FXA104", "FXA1"), "a probe"),
            ("# fxaudit: ignore", (), ""),
            ("# fxaudit: ignore a probe", (), "a probe"),
        ],
    )
    def test_they_are_read(self, comment: str, codes: tuple[str, ...], reason: str) -> None:
        line = SourceLine("a.py", 3, "f", "x", context=((2, "# fxaudit: ignore[FXA1] no"), (3, f"x = 1  {comment}")))
        read = comment_on(Finding("FXA104", "detached-path", "error", "", "", culprit=line))
        assert read is not None
        assert (read.codes, read.reason) == (codes, reason)

    def test_one_leaves_the_finding_of_its_line_out_and_no_other(self, project: Path) -> None:
        text = SCRIPT.replace(BACKBONE, f"{BACKBONE}  # fxaudit: ignore[FXA104] a probe")
        (project / "train.py").write_text(text, encoding="utf-8")
        ended = run(project)
        assert ended.status == 1
        assert found(project) == ["FXA104 probe"]
        assert "1 finding of FXA104 detached-path left out by a comment: a probe." in notes(project)

    def test_one_of_another_rule_leaves_nothing_out(self, project: Path) -> None:
        text = SCRIPT.replace(BACKBONE, f"{BACKBONE}  # fxaudit: ignore[FXA3] what?")
        (project / "train.py").write_text(text, encoding="utf-8")
        assert run(project).status == 1
        assert found(project) == ["FXA104 backbone", "FXA104 probe"]

    @pytest.mark.parametrize(
        ("comment", "message"),
        [
            ("ignore[FXA140] a probe", "train.py:11: 'FXA140' is no rule's code or name"),
            ("ignore[FXA104]", "train.py:11: the comment has no reason. Expected: `# fxaudit: ignore[FXA104] why"),
            ("ignore it", "train.py:11: the comment has no code."),
        ],
    )
    def test_a_wrong_one_is_told_after_the_report(self, comment: str, message: str, project: Path) -> None:
        text = SCRIPT.replace(BACKBONE, f"{BACKBONE}  # fxaudit: {comment}")
        (project / "train.py").write_text(text, encoding="utf-8")
        ended = run(project)
        assert ended.status == 2
        assert message in ended.err
        assert "error[FXA104]" in ended.out


class TestSuppressed:
    """What is left out stands in SARIF and JSON, with who decided and why."""

    @staticmethod
    def results(project: Path) -> list[tuple[str, str, list[tuple[str, str]]]]:
        """Level, first parameter, and the suppressions of each result of the last run."""
        (log,) = json.loads((project / "out.sarif").read_text(encoding="utf-8"))["runs"]
        found = []
        for result in log["results"]:
            decided = [(s["kind"], s["justification"]) for s in result.get("suppressions", ())]
            found.append((result["level"], result["properties"]["parameters"][0], decided))
        return found

    def test_by_a_comment_by_rule_and_by_the_baseline(self, project: Path) -> None:
        text = SCRIPT.replace(BACKBONE, f"{BACKBONE}  # fxaudit: ignore[FXA104] a probe")
        (project / "train.py").write_text(text, encoding="utf-8")
        assert run(project, "-o", "out.sarif").status == 1
        backbone = ("error", "backbone.*", [("inSource", "a probe")])
        assert self.results(project) == [("error", "probe.*", []), backbone]
        assert run(project, "--baseline", "known.json", "--update-baseline", "-o", "out.sarif").status == 0
        assert self.results(project) == [backbone, ("error", "probe.*", [("external", "the baseline knows of it")])]
        write(project, '[tool.fxaudit.ignore]\nFXA104 = "we know"\n')
        assert run(project, "-o", "out.sarif").status == 0
        assert self.results(project) == [
            ("error", f"{name}.*", [("external", "we know")]) for name in ("backbone", "probe")
        ]

    def test_json_keeps_them_for_a_later_sarif(self, project: Path) -> None:
        assert run(project, "--ignore", "FXA104").status == 0
        report = Report.from_json((project / "out.json").read_text(encoding="utf-8"))
        assert not report.findings and [one.by for one in report.suppressed] == ["rule", "rule"]
        assert report.suppressed[0].finding.culprit is not None
        assert forked(["render", "-o", "out.sarif", "out.json"], project).status == 0
        assert self.results(project) == [
            ("error", f"{name}.*", [("external", "by --ignore")]) for name in ("backbone", "probe")
        ]

    def test_those_of_several_targets_are_named_after_them(self) -> None:
        finding = Finding("FXA104", "detached-path", "error", "m", "f", ("a",), SourceLine("a.py", 1, "f", "x"))
        one = without(Report(findings=(finding,)), {id(finding): "known"}, "rule")
        merged = together({"x:make": one, "y:make": one}, Report())
        assert [s.finding.parameters for s in merged.suppressed] == [("x:make.a",), ("y:make.a",)]


class TestBaseline:
    def test_only_what_is_new_fails_and_lines_may_move(self, project: Path) -> None:
        known = ["--baseline", "known.json"]
        assert run(project, *known, "--update-baseline").status == 0
        assert run(project, *known).status == 0
        (project / "train.py").write_text("import math\n\n\n" + SCRIPT, encoding="utf-8")
        ended = run(project, *known)
        assert ended.status == 0
        assert found(project) == []
        assert "2 findings left out: the baseline knows of them." in notes(project)
        changed = SCRIPT.replace(PROBE, "p = self.probe(2 * x).detach()")
        (project / "train.py").write_text(changed, encoding="utf-8")
        assert run(project, *known).status == 1
        assert found(project) == ["FXA104 probe"]
        assert "1 finding of the baseline found no more; --update-baseline forgets it." in notes(project)

    def test_it_says_the_same_when_written_again(self, project: Path) -> None:
        known = ["--baseline", "known.json", "--update-baseline"]
        run(project, *known)
        first = (project / "known.json").read_text(encoding="utf-8")
        run(project, *known)
        assert (project / "known.json").read_text(encoding="utf-8") == first
        assert sorted(json.loads(first)["targets"]) == ["train.py"]

    def test_the_same_cause_a_second_time_is_new(self) -> None:
        line = SourceLine("a.py", 1, "f", "x = x.detach()")
        one = Finding("FXA104", "detached-path", "error", "m", "", ("a",), culprit=line)
        two = Finding(
            "FXA104", "detached-path", "error", "n", "", ("b",), culprit=SourceLine("a.py", 9, "f", line.code)
        )
        assert fingerprint(one) == fingerprint(two)
        before = Report(findings=(one,), title="a.py")
        baseline = Baseline.read(Baseline({}).with_report(before).write())
        now = Report(findings=(one, two), title="a.py")
        left = without(now, dict.fromkeys(baseline.known(now), ""), "baseline")
        assert [finding.message for finding in left.findings] == ["n"]
        assert len(baseline.known(Report(findings=(one,), title="b.py"))) == 0

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (None, "cannot be read: No such file or directory. --update-baseline writes it."),
            ("{}", "cannot be used: it is no baseline."),
            ("[1", "cannot be used: it is no baseline."),
            ('{"baseline_version": 1, "targets": {"a": [3]}}', "cannot be used: it is no baseline."),
            ('{"baseline_version": 9}', "it is of version 9, and this fxaudit reads version 1. Write it anew with"),
        ],
    )
    def test_a_wrong_one_is_refused_before_the_run(self, text: str | None, message: str, project: Path) -> None:
        if text is not None:
            (project / "known.json").write_text(text, encoding="utf-8")
        ended = run(project, "--baseline", "known.json")
        assert ended.status == 2
        assert message in ended.err
        assert ended.out == ""

    def test_an_update_needs_a_file(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main(["run", "--update-baseline", "train.py"]) == 2
        assert "--update-baseline needs to know which: give --baseline FILE, too" in capsys.readouterr().err


@pytest.mark.slow
def test_the_page_shows_settings_that_hold_and_commands_that_work(project: Path) -> None:
    text = page("configuration")
    (shown,) = blocks(text, "toml")
    for folder in ("src", "reports"):
        (project / folder).mkdir()
    (project / "pyproject.toml").write_text(shown, encoding="utf-8")
    known = settings(str(project / "pyproject.toml"))
    assert (known.fail_on, known.steps, len(known.ignore), known.roots) == ("warning", 10, 2, (project / "src",))
    write(project, shown.replace('baseline = "fxaudit-baseline.json"', "").replace('"backbone.*"', '"teacher.*"'))
    lines = [line.partition("#")[0].strip() for block in blocks(text, "sh") for line in block.splitlines()]
    statuses = [forked(shlex.split(line)[1:], project).status for line in lines]
    assert statuses == [0, 1, 0, 0]
    (comment,) = blocks(text, "python")
    line = SourceLine("a.py", 1, "f", comment.strip())
    assert comment_on(Finding("FXA104", "detached-path", "error", "", "", culprit=line)) is not None


def test_settings_that_are_no_table_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "[tool]\nfxaudit = 3\n")
    with pytest.raises(InvalidOptionError, match="is no table"):
        settings(str(tmp_path / "pyproject.toml"))
    with pytest.raises(InvalidOptionError, match="cannot be read"):
        settings(str(tmp_path / "none.toml"))
