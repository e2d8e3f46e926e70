"""The committed reports say what fxaudit says today, in substance: verdicts, causes and lines."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from fxaudit.report import Report
from tests.cli.processes import forked, together
from tools import make_reports

PROGRAMS = make_reports.programs()
SMALL = [program for program in PROGRAMS if program.parent.name == "examples"]
BIG = [program for program in PROGRAMS if program not in SMALL]
MEGABYTES = 6


def committed(program: Path) -> Report:
    saved = make_reports.REPORTS / f"{program.stem}.json"
    assert saved.is_file(), f"reports/ lacks {saved.name}; `make reports` writes it"
    return Report.from_json(saved.read_text(encoding="utf-8"))


def substance(report: Report) -> dict[str, Any]:
    """What a reader would act on: no numbers that rounding decides, no wording."""
    return {
        "verdicts": {p.name: p.verdict for p in report},
        "blamed": {p.name: str(p.culprit) for p in report if p.culprit is not None},
        "causes": [
            (f.code, f.level, f.parameters, str(f.culprit), [str(related.source) for related in f.related])
            for f in report.findings
        ],
        "groups": {o.name: [names for _, names in o.groups] for o in report.optimizers},
        "ended": report.script_exit,
    }


@pytest.mark.slow
@pytest.mark.parametrize("program", SMALL, ids=lambda program: program.stem)
def test_the_report_of_an_example_is_what_fxaudit_says_today(program: Path, tmp_path: Path) -> None:
    saved = tmp_path / "report.json"
    run = together if program.name in make_reports.PROCESSES else forked
    ended = run(["run", "--quiet", "-o", str(saved), f"examples/{program.name}"], make_reports.ROOT)
    assert saved.is_file(), ended.err
    today = Report.from_json(saved.read_text(encoding="utf-8"))
    assert substance(committed(program)) == substance(today), "stale; `make reports` writes it anew"


@pytest.mark.slow
@pytest.mark.parametrize("program", BIG, ids=lambda program: program.stem)
def test_the_report_of_a_big_model_is_what_fxaudit_says_today(program: Path) -> None:
    today = make_reports.audited(program)
    assert substance(committed(program)) == substance(today), "stale; `make reports` writes it anew"


@pytest.mark.parametrize("program", BIG, ids=lambda program: program.stem)
def test_a_big_model_is_blamed_on_its_marked_line_or_on_none(program: Path) -> None:
    lines = program.read_text(encoding="utf-8").splitlines()
    marked = [f"examples/big/{program.name}:{n}" for n, text in enumerate(lines, 1) if text.endswith("# <- the defect")]
    assert [str(f.culprit) for f in committed(program).findings if f.level != "note"] == marked


def test_the_index_lists_every_program_and_links_to_every_file() -> None:
    index = (make_reports.REPORTS / "index.html").read_text(encoding="utf-8")
    links = set(re.findall(r'href="([^"]+)"', index))
    there = {path.name for path in make_reports.REPORTS.iterdir()} - {"index.html", *make_reports.OTHERS}
    assert links == there
    for program in PROGRAMS:
        assert f"{program.stem}.html" in links
        for finding in committed(program).findings:
            assert f"{finding.code} ·" in unescape(index)


def test_the_index_is_made_of_the_reports_beside_it() -> None:
    index = (make_reports.REPORTS / "index.html").read_text(encoding="utf-8")
    assert index == make_reports.index_of(make_reports.REPORTS)


def test_the_index_runs_nothing_and_loads_nothing() -> None:
    index = (make_reports.REPORTS / "index.html").read_text(encoding="utf-8")
    assert "default-src 'none'; style-src 'sha256-" in unescape(index)
    assert "<script" not in index
    assert not re.search(r"https?://|src=", index)


def test_no_file_of_the_gallery_tells_where_or_when_it_was_made() -> None:
    private = re.compile(r"/(home|root|tmp|work|usr|Users)/|\b20\d\d-\d\d-\d\d\b|\b\d\d:\d\d:\d\d\b")
    for path in make_reports.REPORTS.iterdir():
        if path.name not in make_reports.OTHERS:
            found = private.search(path.read_text(encoding="utf-8"))
            assert found is None, (path.name, found)


def test_the_gallery_stays_small() -> None:
    size = sum(path.stat().st_size for path in make_reports.REPORTS.iterdir() if path.name not in make_reports.OTHERS)
    assert size < MEGABYTES * 1_000_000


def test_a_command_in_a_programs_docstring_is_code_in_the_index() -> None:
    index = make_reports.index_of(make_reports.REPORTS)
    assert "<code>torchrun --nproc-per-node 2 examples/ddp_train.py</code>. Training dies" in index
