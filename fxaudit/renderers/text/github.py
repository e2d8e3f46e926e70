"""The report as GitHub workflow commands, which annotate the culprits' lines in a pull request.

The commands and their escapes are those of actions/toolkit, packages/core/src/command.ts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fxaudit.answer.finding import LEVELS
from fxaudit.answer.folding import Universe, fold_sentence
from fxaudit.renderers.text.wording import ending, fix_parts, inert, proof

if TYPE_CHECKING:
    from fxaudit.answer.answer import Answer
    from fxaudit.answer.finding import Finding

__all__ = ["render"]

COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def render(report: Answer) -> str:
    """One workflow command a line, the loudest first: GitHub shows ten of a kind; the verdict is the last line."""
    universe = Universe.of(report.parameters)
    ordered = [finding for level in LEVELS for finding in report.findings if finding.level == level]
    lines = [_annotation(finding, universe) for finding in ordered]
    if died := ending(report):
        lines.append(_command("error", {"title": "fxaudit"}, died.splitlines()))
    lines.append(_command("notice", {"title": "fxaudit"}, [report.summary]))
    return "\n".join(lines) + "\n"


def _annotation(finding: Finding, universe: Universe) -> str:
    properties: dict[str, object] = {}
    if source := finding.culprit:
        properties = {"file": inert(source.file), "line": source.line}
        if source.columns:
            properties |= {"col": source.columns[0] + 1, "endColumn": source.columns[1]}
    properties["title"] = inert(f"{finding.code} {finding.name}")
    parameters = f"Parameters: {fold_sentence(finding.parameters, universe)}" if finding.parameters else ""
    sentence, edit = fix_parts(finding)
    lines = [finding.message, sentence, *edit, parameters, proof(finding)]
    return _command(COMMANDS[finding.level], properties, lines)


def _command(name: str, properties: dict[str, object], lines: list[str]) -> str:
    settings = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    return f"::{name} {settings}::{_data(chr(10).join(inert(line) for line in lines if line))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
