"""Runs the tests that keep the promises, and writes down which of them passed, when, and at which commit.

    python -m tools.keep_promises [TEST FILE…]

With files (`test_nesting.py`), only the tests in these. The record, tools/promises_kept.json, is what docs/promises.md
says of each test; `python -m tools.write_pages` writes that. What is not committed is nobody's state: it is refused.
"""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path

from tools.promises import KEPT, PROMISES, Run, runs_on_record

__all__ = ["main", "outcomes", "record"]

ROOT = Path(__file__).resolve().parents[1]


def named(files: Iterable[str]) -> list[str]:
    """The tests that keep promises, in these files, or in all."""
    tests = {test for promises in PROMISES.values() for promise in promises for test in promise.tests}
    wanted = tuple(f"{file.removeprefix('tests/')}::" for file in files) or ("",)
    return sorted(test for test in tests if test.startswith(wanted))


def outcomes(junit: str) -> dict[str, tuple[int, int]]:
    """Test → how many of its cases passed, and how many failed, as pytest's XML says. What is skipped is neither."""
    found: dict[str, tuple[int, int]] = {}
    for case in ET.fromstring(junit).iter("testcase"):
        file = case.get("classname", "").removeprefix("tests.").replace(".", "/")
        test = f"{file}.py::{case.get('name', '').partition('[')[0]}"
        passed, failed = found.get(test, (0, 0))
        ended = {child.tag for child in case} & {"failure", "error", "skipped"}
        found[test] = (passed + (not ended), failed + bool(ended - {"skipped"}))
    return found


def record(found: dict[str, tuple[int, int]], commit: str, day: str) -> dict[str, Run]:
    """What is on record after this run: of a test that was not run, or only skipped, what was there before."""
    new = {test: Run(commit, day, passed, failed) for test, (passed, failed) in found.items() if passed or failed}
    known = set(named(()))
    return {test: run for test, run in sorted({**runs_on_record(), **new}.items()) if test in known}


def main(files: list[str]) -> int:
    """Run them, and write the record; 1 where a test failed."""
    if _git("status", "--porcelain", "--untracked-files=no"):
        print("What stands in the files is in no commit: commit it first.", file=sys.stderr)
        return 2
    tests = named(files)
    if not tests:
        print(f"No test in {', '.join(files)} keeps a promise.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "junit.xml")
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
            + [f"tests/{test}" for test in tests],
            cwd=ROOT,
            check=False,
        )
        found = outcomes(report.read_text(encoding="utf-8"))
    day = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    runs = record(found, _git("rev-parse", "--short=10", "HEAD"), day)
    KEPT.write_text(json.dumps({test: run.to_json() for test, run in runs.items()}, indent=1) + "\n", encoding="utf-8")
    return 1 if any(failed for _, failed in found.values()) else 0


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
