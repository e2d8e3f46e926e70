"""The report as JUnit XML: a test case for every group of parameters with the same fate, failures for their causes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from fxaudit.answer.folding import Universe, folds
from fxaudit.renderers.text.operation_names import step_name
from fxaudit.renderers.text.wording import ending, path_stations, place, proof

if TYPE_CHECKING:
    from fxaudit.answer.answer import Answer
    from fxaudit.answer.finding import Finding

__all__ = ["render"]

# What XML 1.0 has no way to write, not even as a reference (https://www.w3.org/TR/xml/#charsets).
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Answer) -> str:
    """The report as the text of a JUnit XML file with one suite."""
    suite = ElementTree.Element("testsuite", name=_legal(f"fxaudit {report.title}".rstrip()))
    suite.extend(_cases(report))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("tests", str(len(suite)))
    suite.set("time", "0")
    ElementTree.SubElement(suite, "system-out").text = _legal(report.summary)
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suites, encoding="unicode") + "\n"


def _cases(report: Answer) -> Iterator[ElementTree.Element]:
    """Parameters with the same verdict and the same causes, folded; then the causes that no listed parameter has."""
    if died := ending(report):
        case = _case(report.title or "script", "script")
        ElementTree.SubElement(case, "error", message=_legal(died)).text = _legal(report.traceback or died)
        yield case
    if not report.audited:
        case = _case("audit", "fxaudit")
        ElementTree.SubElement(case, "skipped", message=_legal(" ".join(report.notes) or report.summary))
        yield case
    loud = [finding for finding in report.findings if finding.level != "note"]
    causes: dict[str, list[int]] = {}
    for index, finding in enumerate(loud):
        for name in finding.parameters:
            causes.setdefault(name, []).append(index)
    groups: dict[tuple[str, str, tuple[int, ...]], list[str]] = {}
    for parameter in report:
        reason = parameter.reason if parameter.verdict == "unknown" else ""
        key = (parameter.verdict, reason, tuple(causes.get(parameter.name, ())))
        groups.setdefault(key, []).append(parameter.name)
    universe = Universe.of(report.parameters)
    for (verdict, reason, indices), names in groups.items():
        for found in folds(names, universe):
            case = _case(found.pattern, verdict)
            _add_failure(case, [loud[index] for index in indices])
            if not indices and verdict == "unknown":
                ElementTree.SubElement(case, "skipped", message=_legal(reason))
            yield case
    for finding in loud:
        if not any(name in report.parameters for name in finding.parameters):
            case = _case(f"{finding.code} {finding.name}", "finding")
            _add_failure(case, [finding])
            yield case


def _case(name: str, kind: str) -> ElementTree.Element:
    return ElementTree.Element("testcase", classname=_legal(f"fxaudit.{kind}"), name=_legal(name), time="0")


def _add_failure(case: ElementTree.Element, findings: list[Finding]) -> None:
    """One failure that tells all the causes: readers of the format expect at most one."""
    if not findings:
        return
    first = findings[0]
    failure = ElementTree.SubElement(case, "failure", message=_legal(first.message), type=_legal(first.code))
    failure.text = _legal("\n\n".join(_told(finding) for finding in findings))


def _told(finding: Finding) -> str:
    lines = [f"{finding.level}[{finding.code}] {finding.name}: {finding.message}"]
    if finding.culprit:
        lines += [f"  --> {place(finding.culprit)}", f"      {finding.culprit.code}"]
    if finding.path:
        stations = path_stations(finding.path)
        lines.append("path: " + " → ".join("…" if isinstance(step, int) else step_name(step) for step in stations))
    lines += [sentence for sentence in (proof(finding), finding.fix and f"help: {finding.fix}") if sentence]
    return "\n".join(lines)


def _legal(text: str) -> str:
    return _ILLEGAL.sub("", text)
