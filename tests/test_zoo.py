"""Every specimen of the zoo gets exactly the verdicts written beside it, and findings only where something is wrong."""

from __future__ import annotations

import fnmatch

import pytest

import fxaudit
from tests.zoo import ZOO, Specimen

EVERY = pytest.mark.parametrize("specimen", [pytest.param(one, id=name) for name, one in ZOO.items()])

INTENDED = {"frozen_backbone": "frozen", "ema_teacher": "a teacher is not trained by gradients"}
"""Traits that rightly keep some parameters from training."""


@EVERY
def test_every_parameter_gets_its_verdict(specimen: Specimen) -> None:
    training = specimen.make()
    report = fxaudit.audit(training.model, training.loss, training.optimizers)
    expected = specimen.expected(training)
    given = {name: parameter.verdict for name, parameter in report.parameters.items()}
    doubtful = {name for name, verdict in expected.items() if verdict == "*"}
    assert {**given, **dict.fromkeys(doubtful & set(given), "*")} == expected


@EVERY
def test_whatever_does_not_train_is_explained_and_nothing_else_is_accused(specimen: Specimen) -> None:
    training = specimen.make()
    report = fxaudit.audit(training.model, training.loss, training.optimizers)
    accused = {name for finding in report.findings if finding.level != "note" for name in finding.parameters}
    explained = {name for finding in report.findings for name in finding.parameters}
    idle = {
        name for name, p in report.parameters.items() if p.verdict in ("unreachable", "replaced", "excluded", "blocked", "stale")
    }
    unregistered = {name for name, p in report.parameters.items() if p.verdict == "unregistered"}
    if specimen.name in INTENDED:
        assert accused == set()
    else:
        assert idle | unregistered <= explained
        assert accused <= idle | unregistered | _frozen_yet_held(specimen)


def _frozen_yet_held(specimen: Specimen) -> set[str]:
    return {name for name in specimen.verdicts if fnmatch.fnmatchcase(name, "frozen")}
