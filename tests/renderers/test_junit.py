from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from fxaudit.answer.answer import ParameterReport
from fxaudit.answer.finding import Finding
from fxaudit.renderers.data.junit import render
from fxaudit.report import Report


def suite_of(report: Report) -> ElementTree.Element:
    found = ElementTree.fromstring(render(report).encode("utf-8")).find("testsuite")
    assert found is not None
    return found


def test_the_counts_of_the_suite_are_those_of_its_cases(case: tuple[str, Report]) -> None:
    suite = suite_of(case[1])
    assert suite.get("tests") == str(len(suite.findall("testcase")))
    assert suite.get("failures") == str(len(suite.findall("testcase/failure")))
    assert suite.get("errors") == str(len(suite.findall("testcase/error")))


def test_errors_and_warnings_fail_and_notes_pass(reports: dict[str, Report]) -> None:
    failed = {case.get("name") for case in suite_of(reports["many"]) if case.find("failure") is not None}
    assert failed == {"encoder.*", "norm.*", "gate.weight", "head.weight", "FXA404 never-cleared"}


def test_two_causes_of_one_parameter_are_one_failure_that_tells_both() -> None:
    causes = tuple(Finding(code, "n", "error", f"because {code}", "", ("w",)) for code in ("FXA104", "FXA304"))
    (failure,) = suite_of(Report({"w": ParameterReport("w", "unreachable", "")}, causes)).iter("failure")
    assert failure.text is not None
    assert "because FXA104" in failure.text
    assert "because FXA304" in failure.text


def test_an_unknown_parameter_is_skipped_with_its_reason() -> None:
    suite = suite_of(Report({"w": ParameterReport("w", "unknown", "No optimizer.")}))
    assert [skipped.get("message") for skipped in suite.iter("skipped")] == ["No optimizer."]


@given(st.text(st.characters(), max_size=30))
def test_any_name_gives_well_formed_xml(name: str) -> None:
    finding = Finding(name, name, "error", name, name, (name,))
    suite = suite_of(Report({name: ParameterReport(name, "unreachable", name)}, (finding,), title=name))
    assert len(list(suite.iter("failure"))) == 1
