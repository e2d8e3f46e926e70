"""Every program in examples/ through the real command line, against the truth in examples.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from fxaudit.report import Report
from tests.cli.processes import Ended, forked, fresh, together

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
MARKER = "# <- the defect"
TRUTH = json.loads((ROOT / "tests" / "examples.json").read_text(encoding="utf-8"))
FRESH = ("healthy_mlp.py", "train_translation.py")
"""Run as a shell would; the rest share one import of torch."""

HEALTHY = sorted(name for name, truth in TRUTH.items() if not truth["codes"])
BROKEN = sorted(name for name, truth in TRUTH.items() if truth["codes"])
RAISING = sorted(name for name, truth in TRUTH.items() if truth["raises"])
SILENT_AT_FIRST = {"train_translation.py"}
"""Prints at the end of an epoch; enough has been seen before that, and the script is ended."""


def marked_line(name: str) -> int:
    lines = (EXAMPLES / name).read_text(encoding="utf-8").splitlines()
    (marked,) = [number for number, text in enumerate(lines, 1) if text.endswith(MARKER)]
    return marked


@dataclass(frozen=True)
class Audited:
    """An example after `fxaudit run`."""

    ended: Ended
    report: Report


@pytest.fixture(scope="module")
def audits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Audited]:
    """Audits that were made already, so that each example runs once."""
    return {}


@pytest.fixture
def audited(request: pytest.FixtureRequest, audits: dict[str, Audited], tmp_path: Path) -> Audited:
    name: str = request.param
    if name not in audits:
        saved = tmp_path / "report.json"
        run = together if "processes" in TRUTH[name] else fresh if name in FRESH else forked
        ended = run(["run", "-o", str(saved), f"examples/{name}"], ROOT)
        assert saved.is_file(), f"fxaudit wrote no report; it ended with {ended.status} and said:\n{ended.err}"
        audits[name] = Audited(ended, Report.from_json(saved.read_text(encoding="utf-8")))
    return audits[name]


def each(names: list[str]) -> pytest.MarkDecorator:
    """Parametrize over examples: the test gets the audit of each and its name."""
    return pytest.mark.parametrize(
        ("audited", "name"), [(name, name) for name in names], indirect=["audited"], ids=names
    )


def test_every_example_has_its_truth() -> None:
    assert sorted(path.name for path in EXAMPLES.glob("*.py")) == sorted(TRUTH)


@pytest.mark.parametrize("name", sorted(TRUTH))
def test_an_example_marks_its_defect_and_mentions_no_auditor(name: str) -> None:
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    assert text.count(MARKER) == (name in BROKEN)
    assert "fxaudit" not in text


@each(sorted(TRUTH))
def test_every_parameter_has_its_true_verdict(audited: Audited, name: str) -> None:
    assert {parameter.name: parameter.verdict for parameter in audited.report} == TRUTH[name]["parameters"]


@each(sorted(TRUTH))
def test_the_exit_status_tells(audited: Audited, name: str) -> None:
    assert audited.ended.status == TRUTH[name]["exit_code"]
    assert audited.report.exit_code == TRUTH[name]["exit_code"]


@each(sorted(TRUTH))
def test_the_cause_is_named_and_no_other(audited: Audited, name: str) -> None:
    loud = {finding.code for finding in audited.report.findings if finding.level != "note"}
    assert sorted(loud) == TRUTH[name]["codes"]


@each(BROKEN)
def test_the_culprit_is_the_marked_line(audited: Audited, name: str) -> None:
    (finding,) = [finding for finding in audited.report.findings if finding.code == TRUTH[name]["culprit"]]
    assert finding.culprit is not None
    assert (finding.culprit.file, finding.culprit.line) == (f"examples/{name}", marked_line(name))
    assert finding.culprit.code.endswith(MARKER)
    assert finding.fix


@each(BROKEN)
def test_the_printed_report_shows_the_line(audited: Audited, name: str) -> None:
    assert f"examples/{name}:{marked_line(name)}" in audited.ended.out
    assert TRUTH[name]["culprit"] in audited.ended.out


@each(RAISING)
def test_what_torch_refuses_still_raises_as_under_plain_python(audited: Audited, name: str) -> None:
    err = audited.ended.err
    assert err.startswith("Traceback (most recent call last):\n")
    assert f'{name}", line ' in err.splitlines()[1]
    assert TRUTH[name]["raises"] in err.splitlines()[-1]
    assert "fxaudit/" not in err
    assert audited.report.script_exit is not None
    assert TRUTH[name]["raises"] in audited.report.script_exit


@each(sorted(set(TRUTH) - set(RAISING) - SILENT_AT_FIRST))
def test_nothing_is_said_on_stderr_and_the_script_is_heard_first(audited: Audited, name: str) -> None:
    assert audited.ended.err == ""
    assert audited.ended.out.startswith(("epoch 0: loss ", "step 0: loss "))


@each(["layers_in_a_list.py", "all_layers_in_a_list.py"])
def test_layers_in_a_list_are_sent_to_a_module_list(audited: Audited, name: str) -> None:
    (finding,) = [finding for finding in audited.report.findings if finding.code == "FXA205"]
    assert "nn.ModuleList" in finding.fix


@each(["clamp_over_weight.py"])
def test_a_clamp_in_forward_is_sent_behind_the_step_or_into_a_local(audited: Audited, name: str) -> None:
    (finding,) = [finding for finding in audited.report.findings if finding.code == "FXA201"]
    assert "no_grad" in finding.fix
    assert "local" in finding.fix


@each(["train_translation.py"])
def test_the_realistic_one_draws_where_the_path_ends(audited: Audited, name: str) -> None:
    report = audited.report
    path = report["encoder.embedding.weight"].path
    (cut,) = [step for step in path if step.kind == "cut"]
    assert cut.source is not None
    assert cut.source.line == marked_line(name)
    assert [len(names) for _, names in report.optimizers[0].groups] == [13, 10]
    assert "digraph" in report.draw("encoder.embedding.weight").source
