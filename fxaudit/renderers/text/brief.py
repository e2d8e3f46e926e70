"""The report in a few lines for each cause: for logs, for editors that match lines, and for programs that read.

No drawing, no table, no wrapping, nothing that depends on a terminal: the same report gives the same text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fxaudit.answer.finding import LEVELS
from fxaudit.answer.folding import Universe, fold_sentence
from fxaudit.renderers.text.wording import ending, fix_parts, inert, patch_lines, place, proof, unexplained, unseen

if TYPE_CHECKING:
    from fxaudit.answer.answer import Answer
    from fxaudit.answer.finding import Finding

__all__ = ["render"]


def render(report: Answer) -> str:
    """The verdict; for each finding a headline that begins with its place, and a few labelled lines; the counts."""
    universe = Universe.of(report.parameters)
    lines = [report.summary]
    for level in LEVELS:
        for finding in report.findings:
            if finding.level == level:
                lines += _finding(finding, universe)
    lines += [f"unexplained: {sentence}" for sentence in unexplained(report)]
    lines += [f"unseen: {sentence}" for sentence in unseen(report)]
    if died := ending(report):
        lines.append(f"script: {died}")
    counts = ", ".join(f"{count} {verdict}" for verdict, count in report.verdicts().items())
    lines.append(f"parameters: {counts or 'none'}")
    return "\n".join(inert(line) for line in lines) + "\n"


def _finding(finding: Finding, universe: Universe) -> Iterator[str]:
    source = finding.culprit
    column = source.columns[0] + 1 if source is not None and source.columns else 1
    where = f"{source.file}:{source.line}:{column}: " if source is not None else ""
    yield f"{where}{finding.level}[{finding.code}] {finding.name}: {finding.message}"
    if finding.level == "note":
        return
    if source is not None and source.code:
        yield f"  code: {source.code}"
    if source is not None and source.function:
        callers = [f"{frame.file}:{frame.line}" for frame in source.frames[:3]]
        yield f"  in: {source.function}" + (f", called from {', '.join(callers)}" if callers else "")
    for related in finding.related:
        yield f"  see: {place(related.source)}: {related.role}"
    if finding.parameters:
        yield f"  parameters: {fold_sentence(finding.parameters, universe)} ({len(finding.parameters)})"
    if finding.fact and finding.fact not in finding.message:
        yield f"  fact: {finding.fact}"
    if said := proof(finding):
        yield f"  {said}"
    if finding.also:
        yield f"  then: {', '.join(finding.also)}"
    yield from _fix(finding)


def _fix(finding: Finding) -> Iterator[str]:
    sentence, edit = fix_parts(finding)
    if sentence:
        yield f"  fix: {sentence}"
    if finding.patch is not None and finding.patch.diff:
        yield f"  fix, {finding.patch.state}: {finding.patch.seen}"
        edit = tuple(patch_lines(finding.patch))
    for line in edit:
        yield f"    {line}"
