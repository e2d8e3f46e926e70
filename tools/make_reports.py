"""Writes the gallery: the real report of every program in `examples/`, in every form, and an index page.

`python -m tools.make_reports` writes all of `reports/` anew; with names of programs only theirs, and the index. What
may differ between two machines (norms to the last digit, versions) is rounded or left out, so that a report changes
only when what it says does.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fxaudit.answer.finding import LEVELS, PathStep
from fxaudit.renderers.picture import draw as pictures
from fxaudit.report import Report
from tools.reports_index import index_page

__all__ = [
    "OTHERS",
    "PROCESSES",
    "REPORTS",
    "ROOT",
    "audited",
    "files_of",
    "index_of",
    "main",
    "programs",
    "stable",
    "write",
]

ROOT = Path(__file__).resolve().parents[1]
REPORTS = ROOT / "reports"
FORMS = ("html", "svg", "md", "json")
WHY = "why.svg"
OTHERS = ("audit.html", "bench", "zoo.md")
"""Files in `reports/` that are not the gallery's: `make audit`, `make bench` and `make zoo` write them."""
PROCESSES = {"ddp_train.py": 2}
"""Programs that train on several processes: `torchrun` starts as many."""
SECONDS = 900
DIGITS = 2


def programs() -> list[Path]:
    """The programs of the gallery: the small ones in `examples/`, then those in `examples/big/`."""
    return [*sorted((ROOT / "examples").glob("*.py")), *sorted((ROOT / "examples" / "big").glob("*.py"))]


def audited(program: Path) -> Report:
    """The report of `fxaudit run` on `program`, from a process of its own.

    Raises:
        RuntimeError: No report was written.
    """
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder, "report.json")
        command = ["-m", "fxaudit", "run", "--quiet", "-o", str(saved)]
        if program.name in PROCESSES:
            launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(PROCESSES[program.name])]
            command = [*launcher, *command]
        ended = subprocess.run(
            [sys.executable, *command, program.relative_to(ROOT).as_posix()],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if ended.returncode > 1 or not saved.is_file():
            raise RuntimeError(f"{program.name}: fxaudit ended with {ended.returncode}\n{ended.stderr}")
        return Report.from_json(saved.read_text(encoding="utf-8"))


def stable(report: Report) -> Report:
    """`report` without what another machine would write differently."""
    findings = {id(finding): replace(finding, path=_stable_path(finding.path)) for finding in report.findings}
    parameters = {
        name: replace(
            p,
            findings=tuple(findings.get(id(finding), finding) for finding in p.findings),
            path=_stable_path(p.path),
            gradient=replace(p.gradient, norm=_rounded(p.gradient.norm)),
            change=replace(p.change, norm=_rounded(p.change.norm)),
        )
        for name, p in report.parameters.items()
    }
    kept = {
        key: value.partition("+")[0]
        for key, value in report.environment.items()
        if key in ("fxaudit", "torch", "ranks")
    }
    nodes = tuple(
        replace(node, size=tuple(map(_rounded, node.size))) if node.size is not None else node
        for node in report.graph_data.nodes
    )
    edges = tuple(replace(edge, norm=_rounded(edge.norm)) for edge in report.graph_data.edges)
    return replace(
        report,
        parameters=parameters,
        findings=tuple(findings.values()),
        environment=kept,
        traceback=_relative(report.traceback),
        graph_data=replace(report.graph_data, nodes=nodes, edges=edges),
    )


def _stable_path(path: Sequence[PathStep]) -> tuple[PathStep, ...]:
    return tuple(replace(step, norm=_rounded(step.norm)) for step in path)


def _relative(traceback: str | None) -> str | None:
    """The traceback with paths as reports print them: below the project, or below where packages are installed."""
    if traceback is None:
        return None
    inside = traceback.replace(f'File "{ROOT}{os.sep}', 'File "')
    return re.sub(r'File "[^"]*[/\\](?:site|dist)-packages[/\\]', 'File "', inside)


def _rounded(norm: float | None) -> float | None:
    return None if norm is None else float(f"{norm:.{DIGITS}g}")


def files_of(report: Report, name: str) -> list[str]:
    """The names of the files that the gallery holds for `report`."""
    page, modules, *others = (f"{name}.{form}" for form in FORMS)
    return [page, modules, *([f"{name}.{WHY}"] if _why(report) is not None else []), *others]


def _why(report: Report) -> str | None:
    """The parameter whose way to the loss is drawn: the first of the loudest finding that has any."""
    findings = sorted(report.findings, key=lambda finding: LEVELS.index(finding.level))
    return next((n for finding in findings for n in finding.parameters if n in report.parameters), None)


def write(report: Report, name: str, folder: Path) -> None:
    """Write `report` in every form of the gallery."""
    for form in FORMS:
        target = folder / f"{name}.{form}"
        if form == "json":
            target.write_text(report.to_json() + "\n", encoding="utf-8")
        else:
            report.save(target)
    if (parameter := _why(report)) is not None:
        text = pictures.svg(report, parameter=parameter, view="why")
        (folder / f"{name}.{WHY}").write_text(text, encoding="utf-8")


def index_of(folder: Path) -> str:
    """The index page over the reports in `folder`."""
    entries = []
    for program in programs():
        saved = folder / f"{program.stem}.json"
        if saved.is_file():
            report = Report.from_json(saved.read_text(encoding="utf-8"))
            entries.append((program, report, files_of(report, program.stem)))
    return index_page(entries, ROOT)


def main(names: list[str]) -> int:
    """Write the reports of the programs called `names`, of all when there are none, and the index."""
    chosen = [program for program in programs() if not names or program.stem in names]
    if missing := set(names) - {program.stem for program in chosen}:
        print(f"No program in examples/ is called {', '.join(sorted(missing))}.", file=sys.stderr)
        return 2
    REPORTS.mkdir(exist_ok=True)
    for program in chosen:
        report = stable(audited(program))
        for old in [path for path in REPORTS.glob(f"{program.stem}.*") if path.is_file()]:
            old.unlink()
        write(report, program.stem, REPORTS)
        print(f"reports/{program.stem}.html  {report.summary}", flush=True)
    (REPORTS / "index.html").write_text(index_of(REPORTS), encoding="utf-8")
    known = {"index.html", *OTHERS, *(f"{program.stem}.{form}" for program in programs() for form in (*FORMS, WHY))}
    for path in REPORTS.iterdir():
        if path.is_file() and path.name not in known:
            path.unlink()
    print("reports/index.html")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
