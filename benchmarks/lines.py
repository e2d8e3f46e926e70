"""How often the line to edit is named: in projects of several files, with one mistake each.

`mistakes.py` beside each project of `benchmarks/projects` says how it is run, what is true of it whole and with each
mistake (pattern of names → verdict; the first that fits counts), and which lines an expert would edit: they end with
`# <-- culprit`, or are listed under `also` (their text) and `culprits` (file and line). What is true was proved by
plain runs: values at the first step against those at the end.

    python -m benchmarks.lines [set …] [--only PROJECT …] [--told]
"""

from __future__ import annotations

import argparse
import fnmatch
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

FOLDER = Path(__file__).parent / "projects"
ROOT = Path(__file__).parent.parent
MARK = "# <-- culprit"
SECONDS = 300
Line = tuple[str, int]


@dataclass
class Counts:
    """What was counted over one set."""

    mistakes: int = 0
    verdicts: int = 0
    first: int = 0
    among_three: int = 0
    lines: int = 0
    findings: int = 0
    healthy: int = 0
    quiet: int = 0
    missed: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        each = self.lines / max(self.findings, 1)
        return (
            f"{self.mistakes} mistakes: verdicts right in {self.verdicts}, the line named first in {self.first}, "
            f"among the first three in {self.among_three}; {each:.1f} lines a finding; "
            f"{self.healthy} healthy projects, {self.quiet} without an alarm"
        )


def known_of(project: Path) -> ModuleType:
    """What is known of a project."""
    spec = importlib.util.spec_from_file_location(f"mistakes_{project.name}", project / "mistakes.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def laid_out(project: Path, where: Path, edits: list[tuple[str, str, str]]) -> Path:
    """A copy of the project, edited."""
    folder = where / project.name
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns("mistakes.py", "__pycache__"))
    for file, old, new in edits:
        text = (folder / file).read_text("utf-8")
        assert text.count(old) == 1, (project.name, file, old)
        (folder / file).write_text(text.replace(old, new), "utf-8")
    return folder


def judged(folder: Path, argv: list[str]) -> dict[str, Any]:
    """The JSON report of `fxaudit run`."""
    output = folder.parent / "fxaudit-report.json"
    subprocess.run(
        [sys.executable, "-m", "fxaudit", "run", "--quiet", "-o", str(output), *argv],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    report: dict[str, Any] = json.loads(output.read_text("utf-8"))
    return report


def wrong_verdicts(report: dict[str, Any], expect: dict[str, str]) -> list[str]:
    """The names of the parameters whose verdict is another than expected."""
    wanted = {
        parameter["name"]: next((v for k, v in expect.items() if fnmatch.fnmatch(parameter["name"], k)), None)
        for parameter in report["parameters"]
    }
    return [p["name"] for p in report["parameters"] if wanted[p["name"]] not in (None, p["verdict"])]


def marked(folder: Path, mistake: dict[str, Any]) -> set[Line]:
    """The lines that an expert would edit."""
    found = {(file, line) for file, line in mistake.get("culprits", ())}
    also = {(file, text.strip()) for file, text in mistake.get("also", ())}
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix in (".py", ".yaml", ".yml", ".json", ".toml", ".ini", ".cfg"):
            name = path.relative_to(folder).as_posix()
            for number, text in enumerate(path.read_text("utf-8").splitlines(), 1):
                if MARK in text or (name, text.replace(MARK, "").strip()) in also:
                    found.add((name, number))
    return found


def loud_findings(report: dict[str, Any], intent: list[str]) -> list[dict[str, Any]]:
    """The errors and warnings that are not on what is meant not to train."""
    return [
        finding
        for finding in report["findings"]
        if finding["level"] != "note"
        and not (
            finding["parameters"]
            and all(any(fnmatch.fnmatch(name, meant) for meant in intent) for name in finding["parameters"])
        )
    ]


def lines_named(findings: list[dict[str, Any]]) -> list[Line]:
    """Every line that the findings name, culprits before what is related to them, each once."""
    sources = [
        source
        for f in findings
        for source in (f["culprit"], *(r["source"] for r in f["related"]))
        if source is not None
    ]
    return list(dict.fromkeys((source["file"], source["line"]) for source in sources))


def measure(project: Path, counts: Counts) -> None:
    """Run the project whole, and with each of its mistakes."""
    known = known_of(project)
    with tempfile.TemporaryDirectory() as where:
        report = judged(laid_out(project, Path(where), []), known.RUN)
        counts.healthy += 1
        counts.quiet += not loud_findings(report, known.INTENT) and not wrong_verdicts(report, known.EXPECT)
    for name, mistake in known.MISTAKES.items():
        with tempfile.TemporaryDirectory() as where:
            folder = laid_out(project, Path(where), mistake["edits"])
            report = judged(folder, mistake.get("run", known.RUN))
            findings, wanted = loud_findings(report, known.INTENT) or report["findings"], marked(folder, mistake)
            named = lines_named(findings)
            counts.mistakes += 1
            counts.verdicts += not wrong_verdicts(report, mistake["expect"])
            counts.first += named[:1] != [] and named[0] in wanted
            counts.among_three += bool(wanted & set(named[:3]))
            counts.lines += len(named)
            counts.findings += len(findings)
            if not named or named[0] not in wanted:
                counts.missed.append(f"{project.name}: {name}: {named[:3]}, wanted {sorted(wanted)}")


def main() -> None:
    """Measure the sets, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=sorted(path.name for path in FOLDER.iterdir()))
    parser.add_argument("--only", nargs="*", default=[], help="these projects")
    parser.add_argument("--told", action="store_true", help="also print what was missed")
    options = parser.parse_args()
    for name in options.sets:
        counts = Counts()
        for project in sorted((FOLDER / name).iterdir()):
            if (project / "mistakes.py").exists() and (not options.only or project.name in options.only):
                measure(project, counts)
        print(f"{name}: {counts}", flush=True)
        if options.told:
            print("\n".join(f"  {missed}" for missed in counts.missed))


if __name__ == "__main__":
    main()
