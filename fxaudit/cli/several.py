"""Several targets of one command: each is audited in a process of its own.

Run as a module, this is that process: what to do stands on its standard input as JSON, the report goes to a file.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fxaudit.errors import FxauditError
from fxaudit.report import Report

__all__ = ["Outcome", "audited_apart"]

WRONG, RAISED = 2, 3


@dataclass(frozen=True)
class Outcome:
    """What became of one target: its report, or why there is none; and what it printed."""

    target: str
    report: Report | None
    status: int
    out: str
    err: str


def audited_apart(targets: Sequence[str], options: Mapping[str, Any], jobs: int) -> list[Outcome]:
    """Audit each target in a process of its own, so many at a time, in the order of the targets."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        asked = [
            pool.submit(_audited, target, {**options, "target": target}, Path(folder) / f"{number}.json")
            for number, target in enumerate(targets)
        ]
        return [one.result() for one in asked]


def _audited(target: str, asked: Mapping[str, Any], file: Path) -> Outcome:
    process = subprocess.run(
        [sys.executable, "-m", "fxaudit.cli.several", str(file)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    report = Report.from_json(file.read_text(encoding="utf-8")) if file.is_file() else None
    status = process.returncode if report is None else 0
    return Outcome(target, report, status or (0 if report is not None else RAISED), process.stdout, process.stderr)


def main(file: str) -> int:
    """The process of one target."""
    import traceback

    from fxaudit.api import audit
    from fxaudit.cli.configuration import settings
    from fxaudit.cli.expecting import expect
    from fxaudit.cli.made_again import Making
    from fxaudit.cli.targets import audit_arguments
    from fxaudit.program.source import count_as_own

    asked = json.load(sys.stdin)
    target = asked["target"]
    try:
        known = settings(asked["config"])
        count_as_own(known.roots)

        def make() -> dict[str, Any]:
            arguments = audit_arguments(target, asked["device"])
            expect(arguments, asked["expect"], known)
            arguments.update({key: asked[key] for key in ("steps", "prove") if asked[key] is not None})
            return arguments

        making = Making(make) if asked["fix"] else None
        report = making.mended(make()).report if making is not None else audit(**make())
    except FxauditError as error:
        print(f"fxaudit: error: {error}", file=sys.stderr)
        return WRONG
    except Exception as error:
        traceback.print_exc()
        print(
            f"fxaudit: error: nothing could be audited: {target} raised {type(error).__name__} when it ran",
            file=sys.stderr,
        )
        return RAISED
    report.save(file)
    return 0


if __name__ == "__main__":
    sys.path[0] = os.getcwd()
    sys.exit(main(sys.argv[1]))
