"""The benchmark of planted faults: a handful in torch's own models are detected, with the right verdicts."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from benchmarks.faults import Bench, main, share, table, warm_up
from benchmarks.faults_kinds import KINDS, ONE_WAY
from benchmarks.faults_models import SUBJECTS
from benchmarks.faults_programs import Program, places, source_of, survey
from benchmarks.fixes_planted import outcome

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="every program runs in a forked copy")

PLANTED = [
    ("mlp", "detach", "subclass"),
    ("mlp", "times 0.0", "source"),
    ("cnn", "no_grad block", "wrapper"),
    ("moe", "argmax", "source"),
    ("gan", "Function returns None", "wrapper"),
    ("mlp", "normal_ in forward", "subclass"),
    ("mlp", "in a list", ""),
    ("mlp", "slot assigned", "subclass"),
    ("unet", "lr 0", ""),
    ("mlp", "excluded by name", ""),
    ("mlp", "layer replaced later", ""),
    ("vae", "loss: detached output", ""),
]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    warm_up()
    return Bench(tmp_path_factory.mktemp("faults"))


@pytest.mark.parametrize(("subject", "kind", "style"), PLANTED)
@pytest.mark.slow
def test_a_planted_fault_is_detected_with_the_right_verdicts(bench: Bench, subject: str, kind: str, style: str) -> None:
    found = [f for f in places(subject, 1, KINDS[kind]) if not style or f.style in (style, "")]
    outcomes = (bench.outcome(Program(subject, 1, (fault,))) for fault in found)
    outcome = next(o for o in outcomes if o is not None)
    assert (outcome.detected, outcome.verdicts) == (True, True), outcome.why


@pytest.mark.slow
def test_a_healthy_model_raises_no_alarm(bench: Bench) -> None:
    outcome = bench.alarm("mlp", 0)
    assert (outcome.why, outcome.strays) == ([], [])


def test_there_are_faults_enough_of_every_family() -> None:
    codes = {code for kind in KINDS.values() for code in kind.codes}
    assert len(KINDS) >= 25
    assert {code[:4] for code in codes} == {"FXA1", "FXA2", "FXA3", "FXA5"}
    own = [name for name, subject in SUBJECTS.items() if subject.needs == "torch"]
    assert sum(len(places(name, 0, kind)) for name in own for kind in KINDS.values()) > 2000


def test_every_program_can_be_compiled_and_marks_its_faults() -> None:
    for kind in KINDS.values():
        for fault in places("mlp", 0, kind)[:3]:
            text, marks = source_of(Program("mlp", 0, (fault,)))
            compile(text, "planted.py", "exec")
            assert marks


def test_a_survey_tells_what_each_sub_module_returns() -> None:
    sites = {site.path: site for site in survey("gru-seq2seq", 0)}
    assert (sites["encoder"].result, sites["project"].result) == ("tuple", "tensor")
    assert sites["query"].input_carries_gradient and not sites["source"].input_carries_gradient


@pytest.mark.slow
def test_the_command_prints_a_table_and_writes_every_outcome(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "out.json"
    arguments = ["--limit", "1", "--models", "gan", "--kinds", "lr 0", "--json", str(out), "--no-healthy"]
    assert main(arguments) == 0
    assert "| lr 0 | 1 | 1 | 1 | 1 | 1 | – |" in capsys.readouterr().out
    assert [o["kind"] for o in json.loads(out.read_text())["singles"]] == ["lr 0"]


def test_a_table_ends_with_the_totals() -> None:
    assert table([]).splitlines()[-1].startswith("| **all** | 0 |")
    assert share(1, 3) == "1/3 (33.3 %)"


@pytest.mark.slow
def test_the_fix_of_a_planted_fault_is_its_inverse(bench: Bench) -> None:
    detached = next(f for f in places("mlp", 0, KINDS["detach"]) if f.style == "output")
    found = outcome(bench, Program("mlp", 0, (detached,)))
    assert found is not None and (found.state, found.first, found.lives, found.inverse) == ("tried", True, True, True)
    unread = next(f for f in places("mlp", 0, KINDS["never read"]))
    found = outcome(bench, Program("mlp", 0, (unread,)))
    assert found is not None and found.state != "tried" and "never read" in ONE_WAY
