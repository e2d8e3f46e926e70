"""Whole programs, broken and healthy: the verdicts, the rule, the line, and that nothing else is said than before.

What is true of them stands in the programs (see `tests.judged`). Two files beside them hold what is not yet as it
should be, and what was said last: a program that reaches a marked line only beside a culprit is in
`lower_levels.json`, which may only shrink, and `answers.json` has every verdict and finding, so that a change shows.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from fxaudit.judge.from_file import judged_again
from fxaudit.judge.write_up import Options
from fxaudit.report import Report
from tests import judged
from tests.judged import BUGS, HEALTHY

pytestmark = pytest.mark.usefixtures("first_step_paid")

LOWER = judged.lower_levels()
LINES_LEFT = {"run": 19, "audit": 13}
CAUSES_LEFT = {"run": 3, "audit": 2}
ON_RECORD = judged.answers_on_record()


LONG = frozenset(
    {
        "333_style_transfer_lbfgs", "364_accumulation_of_256", "366_two_phases_of_sixty",
        "367_backbone_thawed_after_sixty_steps", "600_kalman_filter_fitted", "604_equilibrium_propagation",
        "610_compiled_with_dropout_and_eval", "615_bottleneck_tokens_dropped_at_first",
        "640_inner_optimizer_for_each_task",
    }
)  # fmt: skip
"""What takes long is left to `make test-slow`."""


def is_slow(path: Path, mode: str) -> bool:
    """Whether `make test-slow` judges it, and not `make test`: by `audit`, and every second program under `run`."""
    return mode == "audit" or path.stem in LONG or int(path.stem.partition("_")[0]) % 2 == 1


def in_their_modes(paths: list[Path]) -> pytest.MarkDecorator:
    """Each program under `run`, and by `audit` where one step can show what is true."""
    cases = [
        pytest.param(
            path,
            mode,
            id=f"{path.stem}-{mode}",
            marks=(pytest.mark.slow,) if is_slow(path, mode) else (),
        )
        for path in paths
        for mode in judged.modes_of(path)
    ]
    return pytest.mark.parametrize(("path", "mode"), cases)


def assert_right(report: Report, path: Path, mode: str) -> None:
    """Verdicts, rule and line are those that the program states, or as near to them as the list says."""
    module, name = judged.load(path), judged.name_of(path)
    assert judged.wrong_verdicts(report, judged.expected(module, mode)) == {}
    is_open = mode == "audit" and hasattr(module, "ONE_BATCH")
    assert any(finding.level != "note" for finding in report.findings) or module.CAUSE == "frozen" or is_open
    codes = [finding.code for finding in report.findings]
    missed = LOWER["causes"][mode].get(name)
    assert judged.has_cause(report, module.CAUSE) == (missed is None), (
        module.CAUSE,
        codes,
        "or the list is out of date",
    )
    assert unexplained(report) == []
    level = judged.level_of(report, path)
    assert level == LOWER["lines"][mode].get(name, "first"), [str(f.culprit) for f in report.findings]


def unexplained(report: Report) -> list[str]:
    """The parameters that an optimizer holds, that are lost to training, and of which no finding says why."""
    lost = [p for p in report if p.held_by and p.verdict not in ("trained", "frozen", "unknown")]
    return [parameter.name for parameter in lost if not parameter.findings]


def assert_on_record(report: Report, path: Path, mode: str) -> None:
    """What is said of the program is what was said when `answers.json` was renewed."""
    said = ON_RECORD.get(judged.name_of(path), {}).get(mode)
    assert judged.answer(report, path) == said, "`make answers` renews the file; read the difference first"


@in_their_modes(BUGS)
def test_a_broken_program_is_judged_right(path: Path, mode: str) -> None:
    report = judged.judged(path, mode)
    assert_right(report, path, mode)
    assert_on_record(report, path, mode)


ASKING = [path for path in BUGS if path.stem[:3] in ("977", "984")]
"""Their lines are looked up by the names of files, which a recording has others of."""


@pytest.mark.slow
@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in (BUGS + HEALTHY)[::9] + ASKING])
def test_a_recording_is_judged_elsewhere_as_it_was_where_it_was_made(path: Path, tmp_path: Path) -> None:
    """In a process that never saw the program run, from the file alone."""
    report = judged.run(path, tmp_path / "recording.fxr")
    again = Report.of(judged_again((tmp_path / "recording.fxr").read_bytes(), Options()))
    assert judged.answer(again, path) == judged.answer(report, path)
    assert [*again] == [*report] and again.optimizers == report.optimizers and again.steps == report.steps


@in_their_modes(HEALTHY)
def test_a_healthy_program_raises_no_alarm(path: Path, mode: str) -> None:
    module = judged.load(path)
    report = judged.judged(path, mode)
    if mode == "run":
        assert judged.wrong_verdicts(report, module.EXPECT) == {}
    assert judged.alarms(report, module) == []
    assert_on_record(report, path, mode)


def test_the_list_of_lower_levels_names_programs_that_exist() -> None:
    names = {judged.name_of(path) for path in BUGS}
    listed = [name for kind in LOWER.values() for mode in kind.values() for name in mode]
    assert [name for name in listed if name not in names] == []
    assert {level for mode in LOWER["lines"].values() for level in mode.values()} <= set(judged.LEVELS[1:])


def test_the_list_of_lower_levels_did_not_grow() -> None:
    """Whoever shortens the list lowers these numbers; nobody raises them."""
    assert {mode: len(names) for mode, names in LOWER["lines"].items()} == LINES_LEFT
    assert {mode: len(names) for mode, names in LOWER["causes"].items()} == CAUSES_LEFT
