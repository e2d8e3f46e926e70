"""A part of fxaudit that fails is left out and named; the report comes, and the user's program is untouched."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import fxaudit
from fxaudit import Report, cli
from fxaudit.attempts import STRICT, attempt, described
from fxaudit.judge.rules import RULES
from fxaudit.renderers import RENDERERS, write_whole


@pytest.fixture(autouse=True)
def _as_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(STRICT)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(4, 4), nn.Linear(4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(x).detach())


def watched() -> tuple[Report, torch.Tensor]:
    """The report on a loop with a defect, and the head's final weight."""
    torch.manual_seed(0)
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with fxaudit.watch() as watch:
        for _ in range(4):
            optimizer.zero_grad()
            model(torch.randn(8, 4)).square().mean().backward()
            optimizer.step()
    return watch.report, model.head.weight.detach().clone()


def audited() -> Report:
    torch.manual_seed(0)
    model, x = Net(), torch.randn(8, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return fxaudit.audit(model, lambda: (0.0 * model(x)).mean(), optimizer)


def break_it(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError("a defect of fxaudit")


PARTS = {
    "fxaudit.run.loop.models_seen": "the models' names",
    "fxaudit.run.loop.note_hand_updates": "updates made by hand",
    "fxaudit.capture.session.Session.look_at_names": "the names of the parameters",
    "fxaudit.judge.write_up._optimizers": "the optimizers",
    "fxaudit.judge.write_up.steps_of": "the loop",
    "fxaudit.judge.write_up.graph_data": "the graph",
    "fxaudit.capture.recorder.Recorder._make": "a call of `linear`",
    "fxaudit.capture.recorder.Recorder._collect": "a call of `linear`",
    "fxaudit.capture.watch.autograd._open": "what a backward reaches",
    "fxaudit.capture.watch.autograd._close": "what a backward brought",
}


@pytest.mark.parametrize("part", PARTS)
def test_a_watch_outlives_any_part(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = watched()[1]
    monkeypatch.setattr(part, break_it)
    report, weight = watched()
    assert torch.equal(weight, plain)
    said = [note for note in report.notes if note.startswith(f"Could not be seen: {PARTS[part]}")]
    assert said and "ZeroDivisionError: a defect of fxaudit" in said[0]
    assert str(report) and report.to_json()


def test_where_the_judging_fails_every_parameter_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fxaudit.judge.verdict.Judge.judge", break_it)
    report, _ = watched()
    assert {parameter.name: parameter.verdict for parameter in report} == {
        name: "unknown" for name, _ in Net().named_parameters()
    }
    assert not report.ok
    assert any("the verdicts" in note for note in report.notes)


def test_where_the_details_of_a_parameter_fail_its_verdict_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fxaudit.judge.write_up._parameter", break_it)
    report, _ = watched()
    assert report["body.weight"].verdict == "unreachable"
    assert report["head.weight"].verdict == "trained"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_an_audit_outlives_any_rule(rule: type[fxaudit.Rule], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule, "check", break_it)
    report = watched()[0]
    assert report["body.weight"].verdict == "unreachable"
    assert any(rule.code in note for note in report.notes)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("fxaudit.api.prove", "the proofs"),
        ("fxaudit.run.replay.Rehearsal._rehearse", "The rehearsal did not finish"),
    ],
)
def test_an_audit_outlives_its_proofs_and_its_rehearsal(part: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, break_it)
    report = audited()
    assert report["body.weight"].verdict == "unreachable"
    assert any(said in note for note in report.notes)


def test_an_audit_of_the_structure_outlives_the_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fxaudit.run.structure.trace", break_it)
    report = fxaudit.audit(Net())
    assert {parameter.verdict for parameter in report} == {"unknown"}
    assert any("the structure" in note for note in report.notes)


def test_what_the_user_did_wrong_is_still_told_as_such() -> None:
    with pytest.raises(fxaudit.errors.InvalidExpectationError):
        fxaudit.audit(Net(), expect={"nothing.*": "frozen"})


# -- renderers -------------------------------------------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "saved.json"
    path.write_text(watched()[0].to_json(), encoding="utf-8")
    return path


RENDERER_HOMES = {"html": "html.markup", "markdown": "text.markdown", "sarif": "data.sarif", "junit": "data.junit"}


@pytest.mark.parametrize("module", RENDERER_HOMES)
def test_one_output_that_fails_keeps_no_other_back(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import torch\nmodel = torch.nn.Linear(2, 1)\nopt = torch.optim.SGD(model.parameters(), 0.1)\n"
        "for _ in range(3):\n    opt.zero_grad(); model(torch.ones(1, 2)).sum().backward(); opt.step()\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(f"fxaudit.renderers.{RENDERER_HOMES[module]}.render", break_it)
    suffixes = {"html": "html", "markdown": "md", "sarif": "sarif", "junit": "xml"}
    names = [f"report.{suffix}" for suffix in suffixes.values()]
    options = [part for name in names for part in ("-o", str(tmp_path / name))]
    assert cli.main(["run", *options, str(script)]) == 2
    told = capsys.readouterr()
    assert "All 2 parameters will be updated" in " ".join(told.out.split())
    assert f"could not be made as {module}" in told.err
    assert "ZeroDivisionError: a defect of fxaudit" in told.err
    assert "Traceback" not in told.err
    missing = f"report.{suffixes[module]}"
    assert sorted(path.name for path in tmp_path.glob("report.*")) == sorted(set(names) - {missing})


def test_where_the_text_fails_the_sentence_is_printed(
    saved: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("fxaudit.renderers.text.terminal.render", break_it)
    assert cli.main(["render", str(saved)]) == 2
    assert "could not be printed" in capsys.readouterr().err


@pytest.mark.parametrize("renderer", RENDERERS, ids=lambda renderer: renderer.name)
def test_every_form_is_named_when_it_fails(renderer: Any, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = Report.from_json(saved.read_text("utf-8"))
    broken = tuple(replace(one, render=break_it) if one is renderer else one for one in RENDERERS)
    monkeypatch.setattr("fxaudit.renderers.RENDERERS", broken)
    with pytest.raises(fxaudit.errors.RenderingError, match=f"could not be made as {renderer.name}"):
        fxaudit.renderers.render(report, renderer.name)


# -- a `dot` that dies -----------------------------------------------------------------------------------------------

DEAD = {"at once": "exit 1", "late": "exec 0<&-\nsleep 0.2\nexit 1", "silently": "cat > /dev/null\nexit 0"}


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for dot")
@pytest.mark.parametrize("how", DEAD)
def test_a_dot_that_dies_is_replaced(how: str, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    dot = folder / "dot"
    dot.write_text(f"#!/bin/sh\n{DEAD[how]}\n", encoding="utf-8")
    dot.chmod(dot.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    report = Report.from_json(saved.read_text("utf-8"))
    page = report.save(tmp_path / "page.html").read_text("utf-8")
    assert "<svg" in page
    assert "body" in report.save(tmp_path / "picture.svg").read_text("utf-8")


# -- where a report is written to ------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="no FIFO there")
def test_a_fifo_is_written_into_and_stays_one(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(path, '{"a": 1}')
    assert json.loads(os.read(reader, 100)) == {"a": 1}
    os.close(reader)
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.json"]


@pytest.mark.skipif(os.name == "nt", reason="no such device there")
def test_a_device_behind_a_link_is_written_into_and_stays_one(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.symlink_to(os.devnull)
    write_whole(path, "text")
    assert path.is_symlink()
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_a_link_stays_and_what_it_points_to_is_written_whole(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("old", encoding="utf-8")
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    write_whole(tmp_path / "link.json", "new")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real.json").read_text(encoding="utf-8") == "new"


# -- the words -------------------------------------------------------------------------------------------------------


class Mute(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


def test_an_exception_without_words_is_described_by_its_type() -> None:
    assert described(Mute()) == "Mute: its message could not be had: ValueError"
    assert described(ValueError()) == "ValueError"


def test_a_note_is_made_once() -> None:
    notes: list[str] = []
    assert [attempt("it", break_it, 7, notes) for _ in range(3)] == [7, 7, 7]
    assert len(notes) == 1


def test_the_tests_themselves_see_a_failing_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STRICT, "1")
    with pytest.raises(ZeroDivisionError):
        attempt("it", break_it, None, [])


def test_a_script_whose_exception_has_no_words_still_gets_its_report(tmp_path: Path) -> None:
    from fxaudit.run.script import run_script

    script = tmp_path / "train.py"
    script.write_text(
        "import torch\nclass Mute(Exception):\n    def __str__(self): raise ValueError('no words')\n"
        "model = torch.nn.Linear(2, 1)\nopt = torch.optim.SGD(model.parameters(), 0.1)\n"
        "opt.zero_grad(); model(torch.ones(1, 2)).sum().backward(); opt.step()\nraise Mute('x')\n",
        encoding="utf-8",
    )
    report = run_script([str(script)])
    assert report.script_exit is not None and report.script_exit.startswith("Mute: ")
    assert report["weight"].verdict == "trained"


class KeepsAChunk(nn.Module):
    """A view out of many is kept; the step writes its base in place, and then the view can no longer say what it is."""

    def __init__(self) -> None:
        super().__init__()
        self.packed = nn.Parameter(torch.randn(4, 4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.halves = self.packed.chunk(2)
        return torch.tanh(x @ self.halves[0].t()) + x @ self.halves[1].t()


class KeepsAnUnboundRow(KeepsAChunk):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.rows = list(self.packed.unbind(0))
        return x @ torch.stack(self.rows).t()


class KeepsAView(KeepsAChunk):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.flat = {"view": self.packed.view(16), "row": self.packed[0]}
        return x @ self.packed.t()


@pytest.mark.parametrize("kind", [KeepsAChunk, KeepsAnUnboundRow, KeepsAView])
def test_views_of_a_parameter_that_were_kept_are_read_with_care(
    kind: type[nn.Module], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STRICT, "1")
    model, x = kind(), torch.randn(8, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with fxaudit.watch(model, optimizer) as watch:
        for _ in range(4):
            optimizer.zero_grad()
            model(x).square().mean().backward()
            optimizer.step()
    assert watch.report["packed"].verdict == "trained"
    assert fxaudit.audit(model, lambda: model(x).square().mean(), optimizer)["packed"].verdict == "trained"
    assert fxaudit.audit(model)["packed"].verdict in ("trained", "unknown")
    assert fxaudit.why(model.packed, model(x).sum()).reaches  # type: ignore[arg-type]
