"""Whatever is drawn and wherever it ends: after an audit everything is bit for bit what it was, and so are the steps
that follow."""

from __future__ import annotations

import contextlib
import random
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import nn

import fxaudit
from tests.plain_oracle import observed, plainly_trained
from tests.random_programs import source
from tests.test_untouched import everything, torch_untouched
from tests.zoo import Training

seeds = st.integers(0, 10**6)
# A tenth of what the profile asks for: each example trains and audits a program. `make explore` draws some thousand.
DRAWN = settings(
    max_examples=max(10, settings().max_examples // 10),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def loaded(seed: int, folder: Path) -> dict[str, Any]:
    path = folder / f"program_{seed}.py"
    path.write_text(source(seed), encoding="utf-8")
    program: dict[str, Any] = {"__name__": path.stem, "__file__": str(path)}
    exec(compile(path.read_text("utf-8"), str(path), "exec"), program)
    return program


def closure(model: nn.Module, x: torch.Tensor) -> Any:
    def loss() -> torch.Tensor:
        random.random()
        found: torch.Tensor = sum(out.square().mean() for out in model(x))  # type: ignore[assignment]
        return found

    return loss


def prepared(seed: int, folder: Path) -> tuple[dict[str, Any], Training]:
    """A program after two real steps, so that gradients and the state of optimizers are there."""
    program = loaded(seed, folder)
    model, optimizers = program["make"]()
    loss = closure(model, torch.linspace(-1, 1, 12).reshape(4, 3))
    try:
        program["train"](model, optimizers, 2)
        loss()
    except (RuntimeError, TypeError):
        assume(False)  # PyTorch refuses what was drawn
    return program, Training(model, loss, optimizers)


def audited(training: Training) -> fxaudit.Report:
    return fxaudit.audit(training.model, training.loss, training.optimizers)


def same(training: Training, before: dict[str, Any]) -> None:
    after = everything(training)
    for key, value in before.items():
        assert after[key] == value, key


@pytest.mark.slow
@given(seed=seeds)
@DRAWN
def test_after_an_audit_nothing_has_changed(seed: int, tmp_path: Path) -> None:
    _, training = prepared(seed, tmp_path)
    before, rounds = everything(training), training.model.rounds  # type: ignore[union-attr]
    with torch_untouched():
        report = audited(training)
    assert report.parameters
    same(training, before)
    assert training.model.rounds == rounds  # type: ignore[union-attr]


class Ends:
    """Ends what runs at the `at`-th place where it may end."""

    def __init__(self, at: int, error: BaseException) -> None:
        self.at, self.error, self.passed = at, error, 0

    def __call__(self) -> None:
        self.passed += 1
        if self.passed == self.at:
            raise self.error


@pytest.mark.slow
@given(
    seed=seeds,
    at=st.integers(1, 30),
    error=st.sampled_from([KeyboardInterrupt, ZeroDivisionError, SystemExit, MemoryError]),
)
@DRAWN
def test_wherever_an_audit_ends_nothing_has_changed(
    seed: int, at: int, error: type[BaseException], tmp_path: Path
) -> None:
    program, training = prepared(seed, tmp_path)
    before = everything(training)
    program["tick"] = Ends(at, error("drawn"))
    with torch_untouched(), contextlib.suppress(error):
        audited(training)
    same(training, before)


@pytest.mark.slow
@given(seed=seeds, at=st.integers(0, 19))
@DRAWN
def test_twenty_steps_are_the_same_with_an_audit_between(seed: int, at: int, tmp_path: Path) -> None:
    program = loaded(seed, tmp_path)
    try:
        _, plain = plainly_trained(program, 20)
    except (RuntimeError, TypeError):
        assume(False)
    program = loaded(seed, tmp_path)
    model, optimizers = program["make"]()
    losses: list[torch.Tensor] = []

    def note(loss: torch.Tensor) -> None:
        losses.append(loss.detach())
        if len(losses) == at + 1:
            audited(Training(model, closure(model, torch.ones(4, 3)), optimizers))

    program["train"](model, optimizers, 20, note)
    assert observed(model, optimizers) == plain


@pytest.mark.slow
@given(seed=seeds, at=st.integers(1, 60))
@DRAWN
def test_wherever_a_watched_loop_is_interrupted_torch_is_as_it_was(seed: int, at: int, tmp_path: Path) -> None:
    program = loaded(seed, tmp_path)
    model, optimizers = program["make"]()
    program["tick"] = Ends(at, KeyboardInterrupt())
    watch = fxaudit.watch(model, *optimizers)
    with torch_untouched(), contextlib.suppress(KeyboardInterrupt, RuntimeError, TypeError), watch:
        program["train"](model, optimizers, 6)
    assert watch.report.parameters
