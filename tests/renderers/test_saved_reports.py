"""What is saved as JSON comes back the same, fits the schema, and is refused where it is no report."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from importlib import resources
from typing import Any, get_args, get_type_hints

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fxaudit.answer import answer, document, finding, picture_data
from fxaudit.answer.answer import (
    Change,
    Event,
    Gradient,
    Holder,
    OptimizerReport,
    ParameterReport,
    RuleInfo,
    StepReport,
    SymbolicReport,
)
from fxaudit.answer.finding import Finding, PathStep, Related
from fxaudit.errors import InvalidReportError
from fxaudit.program.source import Frame, SourceLine
from fxaudit.report import Report

SCHEMA: dict[str, Any] = json.loads(resources.files("fxaudit").joinpath("schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

texts = st.text(max_size=8)
counts = st.integers(0, 10**12)
norms = st.none() | st.floats(0, allow_nan=False, allow_infinity=False)


def tuples(of: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(of, max_size=2).map(tuple)


sources = st.builds(
    SourceLine,
    texts,
    counts,
    texts,
    texts,
    tuples(st.builds(Frame, texts, counts, texts)),
    st.none() | st.tuples(counts, counts),
    tuples(st.tuples(st.integers(1, 99), texts)),
    st.booleans(),
)
maybe_sources = st.none() | sources
path_steps = st.builds(PathStep, source=maybe_sources, label=texts, module=texts)
findings = st.builds(
    Finding,
    texts,
    texts,
    message=texts,
    fix=texts,
    parameters=tuples(texts),
    culprit=maybe_sources,
    related=tuples(st.builds(Related, sources, texts)),
    path=tuples(path_steps),
    restored=tuples(texts),
    also=tuples(texts),
)


@st.composite
def any_report(draw: st.DrawFn) -> Report:
    found = draw(tuples(findings))
    parameters = st.builds(
        ParameterReport,
        texts,
        reason=texts,
        shape=tuples(counts),
        numel=counts,
        dtype=texts,
        held_by=tuples(st.builds(Holder, texts, counts)),
        gradient=st.builds(Gradient, norm=norms),
        change=st.builds(Change, norm=norms),
        reached_in=counts,
        steps=counts,
        findings=st.just(found[:1]),
        culprit=maybe_sources,
        path=tuples(path_steps),
        module_type=texts,
    )
    groups = tuples(st.tuples(st.none() | st.floats(0, 1), tuples(texts)))
    return Report(
        {each.name: each for each in draw(st.lists(parameters, max_size=3))},
        found,
        draw(tuples(st.builds(OptimizerReport, texts, texts, maybe_sources, groups, counts))),
        draw(tuples(st.builds(StepReport, tuples(st.builds(Event, texts, texts, maybe_sources, counts))))),
        draw(st.builds(SymbolicReport, reason=texts, source=maybe_sources)),
        rules=draw(tuples(st.builds(RuleInfo, texts, texts, title=texts, rationale=texts, fix=texts))),
        environment=draw(st.dictionaries(texts, texts, max_size=2)),
        notes=draw(tuples(texts)),
        title=draw(texts),
        script_exit=draw(st.none() | texts),
        traceback=draw(st.none() | texts),
        fail_on=draw(st.sampled_from(["error", "warning", "note"])),
        audited=draw(st.booleans()),
    )


def test_a_report_made_by_hand_comes_back_the_same(case: tuple[str, Report]) -> None:
    assert Report.from_json(case[1].to_json(indent=1)) == case[1]


def test_a_report_made_by_hand_fits_the_schema(case: tuple[str, Report]) -> None:
    assert list(VALIDATOR.iter_errors(json.loads(case[1].to_json()))) == []


@pytest.mark.slow
@given(any_report())
def test_any_report_comes_back_the_same_and_fits_the_schema(made: Report) -> None:
    text = made.to_json()
    assert Report.from_json(text) == made
    assert list(VALIDATOR.iter_errors(json.loads(text))) == []


def test_the_schema_is_a_valid_and_strict_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

    def loose(part: object) -> list[object]:
        if isinstance(part, list):
            return [found for item in part for found in loose(item)]
        if not isinstance(part, dict):
            return []
        own = [part] if part.get("type") == "object" and "additionalProperties" not in part else []
        return own + [found for item in part.values() for found in loose(item)]

    assert loose(SCHEMA) == []


def test_the_schema_knows_the_words_of_the_code() -> None:
    definitions = SCHEMA["$defs"]
    parameter = definitions["parameter"]["properties"]
    assert set(parameter["verdict"]["enum"]) == set(answer.VERDICTS)
    assert set(definitions["level"]["enum"]) == set(finding.LEVELS)
    assert set(definitions["pathStep"]["properties"]["kind"]["enum"]) == set(get_args(finding.StepKind))
    decided = SCHEMA["properties"]["suppressed"]["items"]["properties"]["by"]
    assert set(decided["enum"]) == set(finding.DECISIONS)
    nodes = definitions["graph"]["properties"]["nodes"]["items"]["prefixItems"]
    edges = definitions["graph"]["properties"]["edges"]["items"]["prefixItems"]
    assert set(nodes[0]["enum"]) == set(get_args(get_type_hints(picture_data.GraphNode)["kind"]))
    assert set(edges[2]["enum"]) == set(get_args(get_type_hints(picture_data.GraphEdge)["kind"]))
    for kind, name in ((Gradient, "gradient"), (Change, "change")):
        states = get_args(get_type_hints(kind)["state"])
        assert set(parameter[name]["properties"]["state"]["enum"]) == set(states)
    assert SCHEMA["properties"]["schema_version"]["const"] == document.SCHEMA_VERSION


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("parameters", 0, "verdict"), "fine"),
        (("parameters", 0, "gradient", "state"), "big"),
        (("parameters", 0, "surprise"), 1),
        (("findings", 0, "level"), "fatal"),
        (("findings", 0, "culprit", "columns"), [1]),
        (("graph", "nodes", 0), ["op", "x"]),
        (("schema_version",), 2),
        (("title",), None),
    ],
)
def test_the_schema_refuses_what_no_report_holds(
    path: tuple[str | int, ...], value: object, reports: dict[str, Report]
) -> None:
    document = json.loads(reports["detached"].to_json())
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert not VALIDATOR.is_valid(document)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "This is no fxaudit report: it is not JSON"),
        ("<html>", "This is no fxaudit report: it is not JSON"),
        ("[]", "This is no fxaudit report: it has no `schema_version`."),
        ('{"version": "2.1.0", "runs": []}', "This is no fxaudit report: it has no `schema_version`."),
        ('{"schema_version": 99}', "The report has schema version 99, this fxaudit reads 1."),
        ('{"schema_version": 1}', "The report is damaged: KeyError: 'findings'."),
    ],
)
def test_what_is_no_report_is_refused_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(InvalidReportError) as caught:
        Report.from_json(text)
    assert str(caught.value).startswith(said)


def test_a_truncated_report_is_refused(reports: dict[str, Report]) -> None:
    text = reports["detached"].to_json()
    for length in range(0, len(text), len(text) // 50):
        with pytest.raises(InvalidReportError):
            Report.from_json(text[:length])


@pytest.mark.parametrize(
    "key",
    [
        "parameters",
        "findings",
        "sources",
        "optimizers",
        "steps",
        "symbolic",
        "rules",
        "graph",
        "script",
        "notes",
        "title",
    ],
)
def test_a_report_that_lacks_a_part_is_damaged(key: str, reports: dict[str, Report]) -> None:
    document = json.loads(reports["detached"].to_json())
    del document[key]
    with pytest.raises(InvalidReportError, match=f"The report is damaged: KeyError: '{key}'"):
        Report.from_json(json.dumps(document))


def test_a_finding_that_is_not_there_is_damage(reports: dict[str, Report]) -> None:
    document = json.loads(reports["detached"].to_json())
    document["parameters"][1]["findings"] = [7]
    with pytest.raises(InvalidReportError, match="damaged: IndexError"):
        Report.from_json(json.dumps(document))


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("parameters", 0, "verdict"), "splendid", "ValueError: 'splendid' is no verdict"),
        (("parameters", 0, "verdict"), ["trained"], "ValueError: ['trained'] is no verdict"),
        (("findings", 0, "level"), "fatal", "ValueError: 'fatal' is no level"),
        (("fail_on",), "never", "ValueError: 'never' is no level"),
        (("parameters", 1, "findings"), [-1], "IndexError: there is no entry -1"),
        (("findings", 0, "path", 2, "source"), 99, "IndexError: list index out of range"),
    ],
)
def test_what_no_report_says_is_damage(
    path: tuple[str | int, ...], value: object, said: str, reports: dict[str, Report]
) -> None:
    document = json.loads(reports["detached"].to_json())
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(InvalidReportError) as caught:
        Report.from_json(json.dumps(document))
    assert str(caught.value) == f"The report is damaged: {said}."


@pytest.mark.parametrize("text", ["[" * 100_000, '{"schema_version": 1, "notes": ' + "[" * 100_000])
def test_a_text_that_is_nested_too_deeply_is_refused(text: str) -> None:
    with pytest.raises(InvalidReportError, match=r"^This is no fxaudit report: "):
        Report.from_json(text)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_cannot_say_is_null(number: float) -> None:
    measured = ParameterReport(
        "w", "blocked", "", gradient=Gradient("nonfinite", number), change=Change("changed", number)
    )
    optimizer = OptimizerReport("opt", "SGD", None, ((number, ("w",)),))
    text = Report({"w": measured}, optimizers=(optimizer,)).to_json()
    loaded = Report.from_json(text)
    assert list(VALIDATOR.iter_errors(json.loads(text))) == []
    assert loaded["w"].gradient == Gradient("nonfinite", None)
    assert loaded["w"].change == Change("changed", None)
    assert loaded.optimizers[0].groups[0][0] is None


def test_a_parameters_finding_may_be_a_copy(reports: dict[str, Report]) -> None:
    report = reports["detached"]
    copied = {p.name: replace(p, findings=tuple(replace(each) for each in p.findings)) for p in report}
    loaded = Report.from_json(replace(report, parameters=copied).to_json())
    assert loaded == report
    assert loaded["norm.bias"].findings[0] is loaded.findings[0]


def test_a_line_that_many_paths_name_is_written_once(reports: dict[str, Report]) -> None:
    report = reports["detached"]
    path = report.findings[0].path
    thousand = {f"p{n}": ParameterReport(f"p{n}", "unreachable", "", path=path) for n in range(1000)}
    many = replace(report, parameters=thousand)
    document = json.loads(many.to_json())
    assert len(document["sources"]) == len({step.source for step in path if step.source is not None})
    assert Report.from_json(many.to_json()) == many


def test_a_parameters_findings_are_the_reports_own(reports: dict[str, Report]) -> None:
    loaded = Report.from_json(reports["detached"].to_json())
    assert loaded["norm.bias"].findings[0] is loaded.findings[0]


def test_a_saved_report_loads_and_renders_without_torch(reports: dict[str, Report]) -> None:
    program = (
        "import sys; sys.modules['torch'] = None; from fxaudit.report import Report; "
        "print(Report.from_json(sys.stdin.read()).summary)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=replace(reports["detached"], title="x").to_json(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "4 of 7 parameters, 256 of 448 elements, will not be updated: one cause.\n"
