"""The report as SARIF 2.1.0, for code scanning: the culprit's line as location, the path to the loss as code flow.

Sections in comments are those of the OASIS standard, https://docs.oasis-open.org/sarif/sarif/v2.1.0/.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from fxaudit.answer.folding import Universe, fold
from fxaudit.program.edits.difference import Hunk, hunks_of
from fxaudit.renderers.data.suggested import Suggestion, suggestion
from fxaudit.renderers.text.operation_names import step_name
from fxaudit.renderers.text.wording import ENDS, ending, ending_of, inert, near_lines, proof, unseen

if TYPE_CHECKING:
    from fxaudit.answer.answer import Answer, RuleInfo
    from fxaudit.answer.finding import Finding, Patch, PathStep, Suppressed
    from fxaudit.program.source import SourceLine

__all__ = ["FINGERPRINT", "SCHEMA_URI", "render"]

SCHEMA_URI = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "fxauditCause/v1"
CONTEXT_AROUND = 2

Object = dict[str, object]


def render(report: Answer) -> str:
    """The report as the text of a SARIF log with one run."""
    from fxaudit._version import __version__

    rules = _rules(report)
    index = {str(rule["id"]): number for number, rule in enumerate(rules)}
    universe = Universe.of(report.parameters)
    driver = {"name": "fxaudit", "version": __version__, "rules": rules}
    run: Object = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report)],
        "results": [
            *(_result(report, finding, index[finding.code], universe) for finding in report.findings),
            *(_suppressed(report, one, index[one.finding.code], universe) for one in report.suppressed),
        ],
        "properties": {"summary": inert(report.summary), "title": inert(report.title)},
    }
    log = {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=1, ensure_ascii=False) + "\n"


def _rules(report: Answer) -> list[Object]:
    """A descriptor for every rule of the report, and for every finding whose rule the report does not describe."""
    rules = {rule.code: _rule(rule) for rule in report.rules}
    for finding in (*report.findings, *(one.finding for one in report.suppressed)):
        rules.setdefault(finding.code, {"id": finding.code, "name": inert(finding.name)})
    return list(rules.values())


def _rule(rule: RuleInfo) -> Object:
    return {
        "id": rule.code,
        "name": inert(rule.name),
        "shortDescription": _message(rule.title),
        "fullDescription": _message(rule.rationale or rule.title),
        "help": _message(rule.fix or rule.title),
        "defaultConfiguration": {"level": rule.level},
    }


def _invocation(report: Answer) -> Object:
    said = [{"level": "note", "message": _message(sentence)} for sentence in unseen(report)]
    if died := ending(report):
        said.insert(0, {"level": "error", "message": _message(died)})
    return {"executionSuccessful": report.audited, "toolExecutionNotifications": said}


def _result(report: Answer, finding: Finding, rule_index: int, universe: Universe) -> Object:
    patterns = fold(finding.parameters, universe)
    sentences = [finding.message, finding.fix, proof(finding)]
    result: Object = {
        "ruleId": finding.code,
        "ruleIndex": rule_index,
        "level": finding.level,
        "message": _message("\n".join(sentence for sentence in sentences if sentence)),
        "partialFingerprints": {FINGERPRINT: _fingerprint(finding, patterns)},
        "properties": {
            "parameters": [inert(pattern) for pattern in patterns],
            "parameterCount": len(finding.parameters),
            "proved": finding.proved,
            "also": [inert(code) for code in finding.also],
        },
    }
    logical = [{"fullyQualifiedName": inert(pattern), "kind": "variable"} for pattern in patterns]
    location: Object = {"physicalLocation": _physical(finding.culprit, CONTEXT_AROUND)} if finding.culprit else {}
    if logical:
        location["logicalLocations"] = logical
    if location:
        result["locations"] = [location]
    if finding.related:
        result["relatedLocations"] = [
            {"id": number, "physicalLocation": _physical(related.source), "message": _message(related.role)}
            for number, related in enumerate(finding.related)
        ]
    if finding.path:
        flow = [{"location": _station(step, finding.path), "importance": _importance(step)} for step in finding.path]
        result["codeFlows"] = [{"message": _message("The path to the loss"), "threadFlows": [{"locations": flow}]}]
    if fix := _fix(report, finding):
        result["fixes"] = [fix]
    return result


def _suppressed(report: Answer, suppressed: Suppressed, rule_index: int, universe: Universe) -> Object:
    """A result that somebody has decided about (§3.35): in the source where a comment says so, else outside of it."""
    kind = "inSource" if suppressed.by == "comment" else "external"
    decided: Object = {"kind": kind, "status": "accepted", "justification": inert(suppressed.reason)}
    return {**_result(report, suppressed.finding, rule_index, universe), "suppressions": [decided]}


def _fix(report: Answer, finding: Finding) -> Object | None:
    """The patch that was worked out, else the edit that the help shows; None where that was tried and did not mend."""
    if finding.patch is not None:
        return _patched(finding.patch) if finding.patch.diff else None
    shown = suggestion(report, finding)
    return _suggested(shown) if shown is not None else None


def _suggested(shown: Suggestion) -> Object:
    """An edit in one line (§3.57); of one that takes the line away, its end goes, too."""
    region: Object = {"startLine": shown.line, "startColumn": shown.columns[0] + 1, "endColumn": shown.columns[1] + 1}
    if shown.whole:
        region = {"startLine": shown.line, "startColumn": 1, "endLine": shown.line + 1, "endColumn": 1}
    replacement: Object = {"deletedRegion": region}
    if shown.text:
        replacement["insertedContent"] = {"text": shown.text}
    change = {"artifactLocation": _located(shown.file), "replacements": [replacement]}
    return {"description": _message(f"Fix, not tried: {shown.why}"), "artifactChanges": [change]}


def _patched(patch: Patch) -> Object:
    """The patch as replacements of whole lines (§3.55)."""
    changes = []
    for file, hunks in hunks_of(patch.diff):
        replacements = [_replacement(hunk) for hunk in hunks]
        changes.append({"artifactLocation": _located(file), "replacements": replacements})
    return {"description": _message(f"Fix, {patch.state}: {patch.seen}"), "artifactChanges": changes}


def _replacement(hunk: Hunk) -> Object:
    """The lines that go, up to the start of the line behind them, and what comes in their place."""
    first, gone, came = hunk
    deleted = {"startLine": first, "startColumn": 1, "endLine": first + gone, "endColumn": 1}
    replacement: Object = {"deletedRegion": deleted}
    if came:
        replacement["insertedContent"] = {"text": came}
    return replacement


def _station(step: PathStep, path: Sequence[PathStep]) -> Object:
    ends = ending_of(step, path)
    station: Object = {"message": _message(step_name(step) + (f": {ends}" if ends else ""))}
    if step.source:
        station["physicalLocation"] = _physical(step.source)
    if step.module:
        station["logicalLocations"] = [{"fullyQualifiedName": inert(step.module), "kind": "module"}]
    return station


def _importance(step: PathStep) -> str:
    return "essential" if step.kind in ENDS else "unimportant" if step.kind == "operation" else "important"


def _physical(source: SourceLine, around: int = 0) -> Object:
    """Where the line is, and `around` of its neighbours on each side."""
    line = dict(source.context).get(source.line, source.code)
    region: Object = {"startLine": max(1, source.line)}
    if source.columns:
        start, end = source.columns
        region["startColumn"], region["endColumn"] = start + 1, end + 1
        line = line[start:end] if source.context else line
    region["snippet"] = {"text": inert(line)}
    location: Object = {"artifactLocation": _artifact(source), "region": region}
    near = near_lines(source, around)
    # A context region has to be larger than the region that it surrounds (§3.29.5).
    if len(near) > 1:
        text = "\n".join(inert(text) for _, text in near)
        location["contextRegion"] = {"startLine": near[0][0], "endLine": near[-1][0], "snippet": {"text": text}}
    return location


def _artifact(source: SourceLine) -> Object:
    return _located(source.file, source.library)


def _located(file: str, library: bool = False) -> Object:
    path = file.encode("utf-8", "surrogateescape" if _is_from_os(file) else "backslashreplace")
    if file.startswith("/"):
        return {"uri": "file://" + quote(path)}
    if file[1:3] == ":/":
        return {"uri": "file:///" + quote(path, safe="/:")}
    # A first segment with a colon would read as a scheme; `quote` writes it as %3A.
    return {"uri": quote(path)} if library else {"uri": quote(path), "uriBaseId": "%SRCROOT%"}


def _is_from_os(file: str) -> bool:
    """Whether every surrogate stands for a byte of a file name that is not UTF-8."""
    return all("\udc80" <= character <= "\udcff" for character in file if "\ud800" <= character <= "\udfff")


def _fingerprint(finding: Finding, patterns: Iterable[str]) -> str:
    """What stays the same when the line moves: the code, the file, the text of the line, and the parameters."""
    source = finding.culprit
    parts = [finding.code, source.file if source else "", source.code.strip() if source else "", *patterns]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _message(text: str) -> Object:
    """Plain text: braces are doubled (§3.11.5), and brackets are kept from reading as a link (§3.11.6)."""
    lines = "\n".join(inert(line) for line in text.split("\n"))
    return {"text": lines.replace("{", "{{").replace("}", "}}").replace("](", "] (")}
