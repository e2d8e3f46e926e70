"""Projects of several files, as repositories have them: run whole, and with one mistake each.

`mistakes.py` beside a project says how it is run (`RUN`), what is true of it (`EXPECT`: name patterns, of which the
first that matches counts), and which edits make which mistake; the lines that an expert would edit end with
`# <-- culprit`.
"""

from __future__ import annotations

import fnmatch
import importlib.util
import os
import shutil
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from fxaudit.report import Report
from fxaudit.run.copy import in_copy

FOLDER = Path(__file__).parent / "projects"
PROJECTS = sorted(path.parent for path in FOLDER.glob("*/mistakes.py"))


def mistakes_of(project: Path) -> ModuleType:
    """What is known of the project."""
    spec = importlib.util.spec_from_file_location(f"mistakes_{project.name}", project / "mistakes.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CASES = [pytest.param(p, name, id=f"{p.name}: {name}") for p in PROJECTS for name in mistakes_of(p).MISTAKES]


def laid_out(project: Path, where: Path, edits: list[tuple[str, str, str]]) -> Path:
    """A copy of the project, edited."""
    copied = where / project.name
    shutil.copytree(project, copied, ignore=shutil.ignore_patterns("mistakes.py", "__pycache__"))
    for file, old, new in edits:
        text = (copied / file).read_text("utf-8")
        assert text.count(old) == 1, (file, old)
        (copied / file).write_text(text.replace(old, new), "utf-8")
    return copied


def run(folder: Path, argv: list[str]) -> Report:
    """The report of `fxaudit run`, called in the project's folder, in a process of its own."""

    def work() -> str:
        from fxaudit.run.script import run_script

        warnings.simplefilter("ignore")
        os.chdir(folder)
        sys.path.insert(0, str(folder))
        module = argv[0] == "-m"
        return run_script(argv[1:] if module else argv, module=module).to_json()

    answer, why = in_copy(work, seconds=180.0)
    assert answer is not None, why
    return Report.from_json(answer)


def wrong_verdicts(report: Report, expect: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Name → (verdict, truth) where they differ; names without a pattern are not judged."""
    wrong = {}
    for parameter in report:
        wanted = next((verdict for name, verdict in expect.items() if fnmatch.fnmatch(parameter.name, name)), None)
        if wanted is not None and parameter.verdict != wanted:
            wrong[parameter.name] = (str(parameter.verdict), wanted)
    missing = [name for name in expect if not any(fnmatch.fnmatch(p.name, name) for p in report)]
    return wrong | {name: ("", expect[name]) for name in missing}


def marked(folder: Path) -> set[tuple[str, int]]:
    """(file, line) of what an expert would edit."""
    return {
        (path.name, number)
        for path in folder.rglob("*.py")
        for number, text in enumerate(path.read_text("utf-8").splitlines(), 1)
        if text.endswith("# <-- culprit")
    }


def named(report: Report) -> set[tuple[str, int]]:
    """(file, line) of what the findings name: culprits with the frames above them, and related lines."""
    sources = [s for f in report.findings for s in (f.culprit, *(r.source for r in f.related)) if s is not None]
    return {(Path(frame.file).name, frame.line) for source in sources for frame in (source, *source.frames)}


@pytest.mark.slow
@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_a_whole_project_raises_no_alarm(project: Path, tmp_path: Path) -> None:
    known = mistakes_of(project)
    report = run(laid_out(project, tmp_path, []), known.RUN)
    assert wrong_verdicts(report, known.EXPECT) == {}
    assert [
        str(f.message)
        for f in report.findings
        if f.level != "note" and not all(any(fnmatch.fnmatch(n, i) for i in known.INTENT) for n in f.parameters)
    ] == []


@pytest.mark.slow
@pytest.mark.parametrize(("project", "name"), CASES)
def test_a_mistake_in_a_project_is_found(project: Path, name: str, tmp_path: Path) -> None:
    known = mistakes_of(project)
    mistake: dict[str, Any] = known.MISTAKES[name]
    folder = laid_out(project, tmp_path, mistake["edits"])
    report = run(folder, mistake.get("run", known.RUN))
    assert wrong_verdicts(report, mistake["expect"]) == {}
    loud = [finding for finding in report.findings if finding.level != "note"]
    assert mistake["codes"] & {finding.code for finding in loud}
    assert named(report) & marked(folder), [str(f.culprit) for f in report.findings]
    if "findings" in mistake:
        assert len(loud) == mistake["findings"]
