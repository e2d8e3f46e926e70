"""The gallery's index: a page that looks like the reports, works without scripts and loads nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
from markupsafe import Markup

from fxaudit.answer.finding import LEVELS, Finding
from fxaudit.renderers.html.markup import page_style, style_policy
from fxaudit.renderers.picture.palette import look
from fxaudit.report import Report

__all__ = ["index_page"]

_LABELS = {"html": "page", "svg": "modules", "why.svg": "why", "md": "Markdown", "json": "JSON"}


@dataclass(frozen=True, slots=True)
class _Cause:
    level: str
    code: str
    message: Markup
    place: str


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    path: str
    page: str
    sentence: Markup
    mood: str
    counts: tuple[tuple[str, str, int], ...]
    causes: tuple[_Cause, ...]
    links: tuple[tuple[str, str], ...]


def index_page(entries: Sequence[tuple[Path, Report, list[str]]], root: Path) -> str:
    """The page over (program, its report, the files written for it), programs given below `root`."""
    style = Markup(page_style() + _STYLE)
    rows = [_row(program, report, files, root) for program, report, files in entries]
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string((Path(__file__).parent / "reports_index.html").read_text(encoding="utf-8"))
    return template.render(rows=rows, style=style, policy=style_policy(style)) + "\n"


def _row(program: Path, report: Report, files: list[str], root: Path) -> _Row:
    findings = sorted(report.findings, key=lambda finding: LEVELS.index(finding.level))
    return _Row(
        name=program.stem,
        path=program.relative_to(root).as_posix(),
        page=f"{program.stem}.html",
        sentence=_marked(_prose(ast.get_docstring(ast.parse(program.read_text(encoding="utf-8"))) or "")),
        mood="good" if report.ok else "bad",
        counts=tuple((verdict, look(verdict).symbol, count) for verdict, count in report.verdicts().items()),
        causes=tuple(_cause(finding) for finding in findings),
        links=tuple((_LABELS[file.removeprefix(f"{program.stem}.")], file) for file in files),
    )


def _prose(docstring: str) -> str:
    """The docstring on one line, its indented paragraphs (commands) as code."""
    paragraphs = re.split(r"\n\s*\n", docstring)
    return " ".join(
        f"`{' '.join(text.split())}`." if text.startswith("    ") else " ".join(text.split())
        for text in (paragraph.strip("\n") for paragraph in paragraphs)
    )


def _cause(finding: Finding) -> _Cause:
    place = str(finding.culprit) if finding.culprit else ""
    return _Cause(finding.level, finding.code, _marked(finding.message), place)


def _marked(text: str) -> Markup:
    """`text` with what stands in backticks as code."""
    return Markup().join(
        Markup("<code>{}</code>").format(piece) if number % 2 else piece
        for number, piece in enumerate(re.split(r"`([^`]+)`", text))
    )


_STYLE = """
.fxa table.gallery { table-layout: auto; }
.fxa .gallery td, .fxa .gallery th { height: auto; padding: 8px; vertical-align: top; }
.fxa .gallery td, .fxa .gallery th { white-space: normal; overflow: visible; }
.fxa .gallery thead th { position: static; }
.fxa .gallery .muted { display: block; }
.fxa .gallery .program { width: 30%; } .fxa .gallery .causes { width: 40%; }
.fxa .gallery ul { list-style: none; margin: 0; padding: 0; }
.fxa .gallery .chip { margin: 0 0 4px; }
.fxa .gallery .good { color: var(--good); font-weight: 600; }
.fxa .gallery .links a { display: block; white-space: nowrap; }
@media (max-width: 860px) { .fxa .gallery tr, .fxa .gallery td, .fxa .gallery th { display: block; width: auto; } }
"""
