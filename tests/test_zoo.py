"""Every specimen of the zoo gets exactly the verdicts written beside it, and only what does not train is accused."""

from __future__ import annotations

import pytest

from tests.zoo import ZOO, Specimen, report_on

RIGHTLY_IDLE = {"frozen_backbone", "frozen_backbone_that_the_optimizer_holds", "ema_teacher"}
MEANT_TO_BE_FROZEN = {"requires_grad_false_on_the_module"}


EVERY = pytest.mark.parametrize("specimen", [pytest.param(one, id=name) for name, one in ZOO.items()])


@EVERY
def test_every_parameter_gets_its_verdict(specimen: Specimen) -> None:
    report = report_on(specimen.name)
    expected = specimen.expected(specimen.make())
    undecided = {name for name, verdict in expected.items() if verdict == "*"}
    given = {name: "*" if name in undecided else p.verdict for name, p in report.parameters.items()}
    assert given == expected


@EVERY
def test_what_does_not_train_is_explained_and_nothing_else_is_accused(specimen: Specimen) -> None:
    report = report_on(specimen.name)
    # FXA307 is about parameters that train although the program means to freeze them.
    assert ("FXA307" in {finding.code for finding in report.findings}) == (specimen.name in MEANT_TO_BE_FROZEN)
    loud = [finding for finding in report.findings if finding.level != "note" and finding.code != "FXA307"]
    accused = {name for finding in loud for name in finding.parameters}
    explained = {name for finding in report.findings for name in finding.parameters}
    expected = specimen.expected(specimen.make())
    idle = {name for name in report.parameters if expected.get(name, "unregistered") not in ("trained", "frozen", "*")}
    if specimen.name in RIGHTLY_IDLE:
        assert accused == set()
    else:
        assert explained >= idle
        assert accused <= idle


def test_names_of_specimens_are_those_of_the_functions_that_make_them() -> None:
    assert all(specimen.build.__name__ == name for name, specimen in ZOO.items())
    assert len(ZOO) > 100
