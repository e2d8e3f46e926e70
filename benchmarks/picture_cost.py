"""What pictures and pages cost: boxes and seconds of the default views of the gallery, and the size of its pages.

Layout is timed with the embedded Graphviz and, where there is one, with a `dot` binary: processor seconds, the best of
three. Ends with 1 where a limit is broken: 500 boxes, one second, one megabyte.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from fxaudit.errors import PictureError
from fxaudit.renderers.html.markup import render
from fxaudit.renderers.picture.draw import VIEWS, draw
from fxaudit.renderers.picture.engine import embedded_graphviz
from fxaudit.report import Report

REPORTS = Path(__file__).resolve().parents[1] / "reports"
MOST_BOXES = 500
MOST_SECONDS = 1.0
MOST_BYTES = 1_000_000
ROUNDS = 3


def spent(work: Callable[[], object]) -> float:
    """The processor seconds that `work` takes, in this process and in those that it runs."""
    best = float("inf")
    for _ in range(ROUNDS):
        before = os.times()
        started = time.process_time()
        work()
        after = os.times()
        children = after.children_user + after.children_system - before.children_user - before.children_system
        best = min(best, time.process_time() - started + children)
    return best


def engines() -> dict[str, str]:
    """The commands that can lay out here, by their name in the table."""
    found = {"embedded": embedded_graphviz(), "dot": shutil.which("dot")}
    return {name: command for name, command in found.items() if command}


def layout(command: str, source: str) -> Callable[[], object]:
    return lambda: subprocess.run([command, "-Tsvg"], input=source.encode(), capture_output=True, check=True)


def measured(saved: Path) -> list[str]:
    """Prints the lines of one report; returns what is over a limit."""
    report = Report.from_json(saved.read_text(encoding="utf-8"))
    over = []
    for view in VIEWS:
        try:
            picture = draw(report, view=view)
        except PictureError:
            continue  # `why` of a report without findings
        times = {"drawing": spent(lambda view=view: draw(report, view=view))}  # type: ignore[misc]
        times |= {name: spent(layout(command, picture.source)) for name, command in engines().items()}
        shown = "  ".join(f"{name} {seconds:5.2f} s" for name, seconds in times.items())
        print(f"{saved.stem:24} {view:10} {picture.drawn:4} boxes  {shown}", flush=True)
        if picture.drawn > MOST_BOXES:
            over.append(f"{saved.stem} {view}: {picture.drawn} boxes")
        over += [f"{saved.stem} {view}: {name} {s:.2f} s" for name, s in times.items() if s > MOST_SECONDS]
    page = render(report)
    print(
        f"{saved.stem:24} page       {len(page.encode()) / 1000:7.0f} kB  {spent(lambda: render(report)):5.2f} s",
        flush=True,
    )
    if len(page.encode()) > MOST_BYTES:
        over.append(f"{saved.stem} page: {len(page.encode())} bytes")
    return over


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="programs of the gallery; all when none is named")
    names = parser.parse_args().names
    over = [
        line for saved in sorted(REPORTS.glob("*.json")) if not names or saved.stem in names for line in measured(saved)
    ]
    print(f"over a limit: {', '.join(over) or 'nothing'}")
    return 1 if over else 0


if __name__ == "__main__":
    raise SystemExit(main())
