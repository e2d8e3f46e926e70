"""Programs drawn at random: fxaudit says of each parameter what plain training proves, and changes no number.

Which are drawn is told when one fails, and `FXAUDIT_RANDOM_SEED` draws them again; CI draws others every day.
`make random` draws more.
"""

from __future__ import annotations

import os
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

import fxaudit
from tests.plain_oracle import observed, plainly_trained
from tests.random_programs import source
from tests.warming import pay_for_the_trace

pytestmark = pytest.mark.usefixtures("first_step_paid")
pay_for_the_trace()  # the copy that traces what the run did not use would pay it for each program

STEPS = 6
PER_TEST = 25
FIRST = int(os.environ.get("FXAUDIT_RANDOM_SEED") or int(time.time()) // 86_400 * 1_000)
COUNT = int(os.environ.get("FXAUDIT_RANDOM_COUNT") or 200)

REGRESSIONS: list[int] = [
    144,
    160,
    169,
    177,
    190,
    2000195,
    2000464,
    2000563,
    2005907,
    2010221,
    2012476,
    2015584,
    2016234,
]
"""Seeds of programs that were judged wrong once."""


def loaded(path: Path) -> dict[str, Any]:
    program: dict[str, Any] = {"__name__": path.stem, "__file__": str(path)}
    exec(compile(path.read_text("utf-8"), str(path), "exec"), program)
    return program


def disagreements(seed: int, folder: Path) -> list[str]:
    """Where fxaudit and the oracle differ over the program of that seed; nothing of a program that plainly dies."""
    path = folder / f"program_{seed}.py"
    path.write_text(source(seed), encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            facts, plain = plainly_trained(loaded(path), STEPS)
        except (RuntimeError, TypeError):
            return []  # PyTorch refuses what was drawn
        program = loaded(path)
        model, optimizers = program["make"]()
        with fxaudit.watch(model, *optimizers) as watch:
            program["train"](model, optimizers, STEPS)
        found = [] if observed(model, optimizers) == plain else ["the numbers differ"]
    report = watch.report
    # What flows through `vmap` or a function's own backward only a backward shows: where none runs, its absence is
    # all that is said.
    in_the_dark = "vmap(" in source(seed) or ".apply(" in source(seed)
    for name, fact in facts.items():
        if fact.noisy:
            continue
        said = report[name]
        if in_the_dark and (said.reason == "`backward` is never called" or said.reason.startswith("no backward ran")):
            continue
        if said.verdict != fact.verdict:
            found.append(f"{name}: said to be {said.verdict} ({said.reason}), is {fact.verdict}")
        if fact.held and said.verdict not in ("trained", "frozen") and not said.findings:
            found.append(f"{name}: held, {said.verdict}, and no finding")
    return [f"seed {seed}: {one}" for one in found]


def in_parts() -> list[Any]:
    """The seeds by the first of each part."""
    return [pytest.param(start, id=f"from {start}") for start in range(FIRST, FIRST + COUNT, PER_TEST)]


@pytest.mark.slow
@pytest.mark.parametrize("start", in_parts())
def test_the_verdicts_are_what_plain_training_proves(start: int, tmp_path: Path) -> None:
    count = min(PER_TEST, FIRST + COUNT - start)
    assert [found for seed in range(start, start + count) for found in disagreements(seed, tmp_path)] == []


@pytest.mark.parametrize("seed", REGRESSIONS)
def test_what_was_judged_wrong_once_is_judged_right(seed: int, tmp_path: Path) -> None:
    assert disagreements(seed, tmp_path) == []


def test_most_of_what_is_drawn_runs_and_does_different_things(tmp_path: Path) -> None:
    seen: dict[str, int] = {}
    for seed in range(40):
        path = tmp_path / f"program_{seed}.py"
        path.write_text(source(seed), encoding="utf-8")
        try:
            facts, _ = plainly_trained(loaded(path), 3)
        except RuntimeError:
            continue
        for fact in facts.values():
            seen[fact.verdict] = seen.get(fact.verdict, 0) + 1
    assert {"trained", "unreachable", "blocked", "frozen", "excluded"} <= set(seen)
    assert sum(seen.values()) > 150
