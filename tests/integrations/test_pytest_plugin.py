"""The pytest plugin in a pytest of its own: both outcomes, alone and with two workers."""

from __future__ import annotations

from pathlib import Path

import pytest

import fxaudit
from fxaudit.report import Report

pytest_plugins = ["pytester"]

MODEL = """
import pytest
import torch
from torch import nn

import fxaudit


class Net(nn.Module):
    def __init__(self, cut):
        super().__init__()
        self.encoder, self.head, self.cut = nn.Linear(4, 4), nn.Linear(4, 1), cut

    def forward(self, x):
        hidden = self.encoder(x)
        if self.cut:
            hidden = hidden.detach()  # the defect
        return self.head(hidden)


def made(cut):
    torch.manual_seed(0)
    model, x = Net(cut), torch.randn(8, 4)
    return model, lambda: model(x).square().mean(), torch.optim.SGD(model.parameters(), lr=0.1)
"""
WORKERS = pytest.mark.parametrize("arguments", [(), ("--numprocesses=2",)], ids=["alone", "two workers"])


def run(pytester: pytest.Pytester, tests: str, *arguments: str) -> pytest.RunResult:
    pytester.makepyfile(test_model=MODEL + tests)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *arguments)


@pytest.mark.slow
@WORKERS
def test_a_model_that_trains_passes(pytester: pytest.Pytester, arguments: tuple[str, ...]) -> None:
    tests = """
def test_it_trains():
    assert fxaudit.assert_trains(*made(False)).ok

def test_it_trains_by_the_fixture(audit):
    report = audit(*made(False))
    assert report.ok, report
"""
    run(pytester, tests, *arguments).assert_outcomes(passed=2)


@pytest.mark.slow
@WORKERS
def test_a_failure_shows_the_finding_with_its_line(pytester: pytest.Pytester, arguments: tuple[str, ...]) -> None:
    tests = """
def test_it_trains():
    fxaudit.assert_trains(*made(True))
"""
    result = run(pytester, tests, *arguments)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*fxaudit.assert_trains(*made(True))*",
            "*AssertionError: Net: 2 of 4 parameters*",
            "*error[[]FXA104[]] detached-path: `.detach()` cuts `encoder.*` off from the loss",
            "*--> test_model.py:*in Net.forward",
            "*hidden = hidden.detach()  # the defect",
        ]
    )
    assert "def assert_trains" not in result.stdout.str()


@pytest.mark.slow
def test_what_is_expected_need_not_train(pytester: pytest.Pytester) -> None:
    tests = """
def test_it_trains_but_for_the_encoder():
    fxaudit.assert_trains(*made(True), expect={"encoder.*": "unreachable"})

@pytest.mark.fxaudit(expect={"encoder.*": "unreachable"}, prove=False)
def test_the_marker_says_so(audit):
    assert audit(*made(True)).ok

@pytest.mark.fxaudit(expect={"encoder.*": "frozen"})
def test_another_verdict_than_expected(audit):
    report = audit(*made(True))
    assert report.ok, report
"""
    result = run(pytester, tests)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*encoder.*frozen*"])


@pytest.mark.slow
@WORKERS
def test_the_reports_of_what_failed_are_in_the_folder(pytester: pytest.Pytester, arguments: tuple[str, ...]) -> None:
    tests = """
def test_it_trains():
    fxaudit.assert_trains(*made(True))

def test_it_trains_by_the_fixture(audit):
    assert audit(*made(True)).ok

def test_this_one_passes(audit):
    assert audit(*made(False)).ok
"""
    result = run(pytester, tests, "--fxaudit-report", "reports", *arguments)
    result.assert_outcomes(failed=2, passed=1)
    written = sorted(path.name for path in Path(pytester.path, "reports").iterdir())
    names = ["test_model.py_test_it_trains", "test_model.py_test_it_trains_by_the_fixture"]
    assert written == sorted(f"{name}{suffix}" for name in names for suffix in (".html", ".json"))
    saved = Report.from_json(Path(pytester.path, "reports", f"{names[0]}.json").read_text(encoding="utf-8"))
    assert [finding.code for finding in saved.findings] == ["FXA104"]
    result.stdout.fnmatch_lines([f"*reports/{names[0]}.html"])


@pytest.mark.slow
def test_a_marker_with_positional_arguments_says_what_it_expects(pytester: pytest.Pytester) -> None:
    tests = """
@pytest.mark.fxaudit({"encoder.*": "frozen"})
def test_it(audit):
    audit(*made(False))
"""
    result = run(pytester, tests)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*the marker `fxaudit` takes no positional arguments*"])


@pytest.mark.slow
def test_pytest_without_an_audit_imports_no_torch(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_nothing_heavy():
            assert "fxaudit.integrations.pytest_plugin" in sys.modules
            assert not {"torch", "networkx", "rich", "jinja2"} & set(sys.modules)
        """
    )
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_the_error_carries_the_report() -> None:
    import torch
    from torch import nn

    body, head, x = nn.Linear(4, 4), nn.Linear(4, 1), torch.ones(2, 4)
    optimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.1)
    with pytest.raises(AssertionError) as caught:
        fxaudit.assert_trains(nn.Sequential(body, head), lambda: head(body(x).detach()).sum(), optimizer)
    report = caught.value.report  # type: ignore[attr-defined]
    assert isinstance(report, Report)
    assert report["0.weight"].verdict == "unreachable"
