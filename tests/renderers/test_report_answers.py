from __future__ import annotations

from dataclasses import replace

import pytest

from fxaudit.answer.answer import ParameterReport, SymbolicReport, Verdict
from fxaudit.answer.finding import Finding, Level
from fxaudit.errors import FxauditError, UnknownParameterError
from fxaudit.report import Report


def report_with(*verdicts: Verdict, levels: tuple[Level, ...] = (), **facts: object) -> Report:
    parameters = {f"p{n}": ParameterReport(f"p{n}", verdict, "", numel=10) for n, verdict in enumerate(verdicts)}
    found = tuple(Finding(f"FXA{n}", "x", level, "", "") for n, level in enumerate(levels))
    return replace(Report(parameters, found), **facts)  # type: ignore[arg-type]


def about(report: Report, *names: tuple[str, ...]) -> Report:
    """The report with its findings said of the parameters named, one tuple for each."""
    found = zip(report.findings, names, strict=True)
    return replace(report, findings=tuple(replace(finding, parameters=names) for finding, names in found))


def noted(report: Report) -> Report:
    """The report with all its findings said of every parameter."""
    return replace(report, parameters={p.name: replace(p, findings=report.findings) for p in report})


def test_a_parameter_is_found_by_its_name(reports: dict[str, Report]) -> None:
    assert reports["detached"]["encoder.weight"].verdict == "unreachable"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("weight", "The report lists no parameter 'weight'. Did you mean 'embed.weight' or 'encoder.weight' or"),
        ("encoder", "The report lists no parameter 'encoder'. Did you mean 'encoder.weight' or 'encoder.bias'?"),
        ("decoder", "The report lists no parameter 'decoder'."),
    ],
)
def test_an_unknown_parameter_is_an_error_that_names_near_ones(
    asked: str, said: str, reports: dict[str, Report]
) -> None:
    with pytest.raises(UnknownParameterError) as caught:
        reports["detached"][asked]
    assert str(caught.value).startswith(said)
    assert isinstance(caught.value, KeyError)
    assert isinstance(caught.value, FxauditError)


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        (report_with("trained"), "The one parameter will be updated."),
        (report_with("trained", "trained"), "All 2 parameters will be updated."),
        (
            report_with("trained", "trained", symbolic=SymbolicReport("traced")),
            "All 2 parameters can get a gradient.",
        ),
        (report_with("trained", "frozen"), "1 parameter will be updated, 1 is frozen."),
        (report_with("trained", "trained", "frozen", "frozen"), "2 parameters will be updated, 2 are frozen."),
        (report_with("frozen"), "The one parameter is frozen."),
        (report_with("frozen", "frozen"), "All 2 parameters are frozen."),
        (report_with(), "No parameter was found."),
        (report_with("unregistered", levels=("error",)), "1 unregistered tensor and no parameter: one cause."),
        (report_with("trained", levels=("note",)), "The one parameter will be updated."),
        (
            report_with("trained", "trained", levels=("error",)),
            "All 2 parameters will be updated, but there is 1 error.",
        ),
        (
            report_with("trained", levels=("error", "warning", "error", "note")),
            "The one parameter will be updated, but there are 2 errors and 1 warning.",
        ),
        (
            about(report_with("blocked", "trained", levels=("error", "warning")), ("p0",), ("p1",)),
            "1 of 2 parameters, 10 of 20 elements, will not be updated: one cause.",
        ),
        (
            about(report_with("blocked", "trained", levels=("warning",)), ("p1",)),
            "1 of 2 parameters, 10 of 20 elements, will not be updated: the cause was not found.",
        ),
        (
            about(report_with("blocked", "unregistered", "stale", levels=("error",) * 2), ("p0",), ("p1",)),
            "1 of 1 parameter, 10 of 10 elements, and 1 unregistered tensor will not be updated: 2 causes.",
        ),
        (
            report_with("trained", "blocked", levels=("error", "warning", "note")),
            "1 of 2 parameters, 10 of 20 elements, will not be updated: 2 causes.",
        ),
        (
            report_with("unknown", "trained"),
            "1 of 2 parameters, 10 of 20 elements, could not be judged.",
        ),
        (
            report_with("blocked", "unknown", "trained"),
            "1 of 3 parameters, 10 of 30 elements, will not be updated: the cause was not found. "
            "1 could not be judged.",
        ),
        (
            noted(report_with("unreachable", "trained", levels=("note",))),
            "1 of 2 parameters, 10 of 20 elements, will not be updated: taken for intended, see the notes.",
        ),
        (
            report_with("trained", "stale", "unregistered", levels=("error",)),
            "2 stale and unregistered tensors beside 1 parameter: one cause.",
        ),
        (report_with(audited=False), "Nothing could be audited."),
    ],
)
def test_the_summary_is_one_true_sentence(report: Report, sentence: str) -> None:
    assert report.summary == sentence


@pytest.mark.parametrize(
    ("levels", "fail_on", "code"),
    [
        ((), "error", 0),
        (("note", "warning"), "error", 0),
        (("error",), "error", 1),
        (("warning",), "warning", 1),
        (("note",), "warning", 0),
        (("note",), "note", 1),
        (("error",), "note", 1),
    ],
)
def test_the_exit_code_follows_the_level_that_fails(levels: tuple[Level, ...], fail_on: Level, code: int) -> None:
    report = report_with("trained", levels=levels).failing_on(fail_on)
    assert report.exit_code == code
    assert report.ok == (code == 0)


def test_nothing_audited_is_three_unless_there_is_a_finding() -> None:
    assert report_with(audited=False).exit_code == 3
    assert report_with(audited=False, levels=("note",)).exit_code == 3
    assert report_with(audited=False, levels=("error",)).exit_code == 1


def test_verdicts_are_counted_without_zeros() -> None:
    report = report_with("frozen", "trained", "trained")
    assert report.verdicts() == {"trained": 2, "frozen": 1}
    assert len(report) == 3
    assert [parameter.name for parameter in report] == ["p0", "p1", "p2"]
    assert repr(report) == "<fxaudit.Report report: 2 trained, 1 frozen; 0 findings>"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0"),
        (999, "999"),
        (1_000, "1 k"),
        (999_499, "999 k"),
        (999_999, "1 M"),
        (12_345_678, "12.3 M"),
        (999_999_999, "1 B"),
        (1_500_000_000_000, "1.5 T"),
    ],
)
def test_elements_are_counted_in_three_digits(number: int, words: str) -> None:
    report = Report({"p": ParameterReport("p", "unknown", "", numel=number)})
    assert report.summary == f"1 of 1 parameter, {words} of {words} elements, could not be judged."
