"""Where a report goes: to stdout in one format, and to any number of files; what is left out of it; the exit status."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

from fxaudit.answer.finding import Level
from fxaudit.answer.leaving_out import Baseline
from fxaudit.attempts import STRICT, described
from fxaudit.cli.configuration import Settings
from fxaudit.cli.decided import decided
from fxaudit.cli.streams import say
from fxaudit.cli.streams import told as told_of
from fxaudit.errors import FxauditError, InvalidOptionError, RenderingError, UnwritableOutputError

if TYPE_CHECKING:
    from fxaudit.report import Report

__all__ = [
    "USAGE",
    "Delivery",
    "complain",
    "deliver",
    "hand_out",
    "keep",
    "print_report",
    "say_if_possible",
    "what_is_left",
]

T = TypeVar("T")

USAGE = 2


@dataclass
class Delivery:
    """How a report is judged and where it goes: to stdout in one format, and to any number of files."""

    outputs: tuple[Path, ...]
    format: str
    quiet: bool
    verbose: bool
    fail_on: Level
    ignore: Mapping[str, str]
    """Code of a rule → why its findings are left out."""
    settings: Settings
    baseline_file: Path | None
    baseline: Baseline | None
    updates_baseline: bool


def deliver(report: Report, delivery: Delivery, out: IO[str], target: str = "") -> int:
    """Write the files, print the report, and return the report's exit status.

    A file that cannot be written after all keeps neither the others nor the printed report back.
    """
    left, problems = what_is_left(report, delivery, target)
    return hand_out(left, delivery, out, problems)


def keep(report: Report, delivery: Delivery) -> None:
    """Write the files as far as it is known now. What goes wrong is told when they are written at the end."""
    left, _, _ = decided(report, delivery.ignore, delivery.baseline, updates=False, target="")
    for path in delivery.outputs:
        with contextlib.suppress(FxauditError):
            left.failing_on(delivery.fail_on).save(path)


def what_is_left(report: Report, delivery: Delivery, target: str) -> tuple[Report, list[str]]:
    """What is left of the report, and what is wrong with comments in the program; the baseline is kept up to date."""
    left, baseline, problems = decided(
        report, delivery.ignore, delivery.baseline, updates=delivery.updates_baseline, target=target
    )
    delivery.baseline = baseline
    if delivery.updates_baseline and baseline is not None and delivery.baseline_file is not None:
        from fxaudit.renderers import write_whole

        write_whole(delivery.baseline_file, baseline.write())
    return left, problems


def hand_out(left: Report, delivery: Delivery, out: IO[str], problems: list[str]) -> int:
    """Write the files and print: see `deliver`."""
    judged = left.failing_on(delivery.fail_on)
    failures: list[FxauditError] = [InvalidOptionError(problem) for problem in problems]
    for path in delivery.outputs:
        try:
            judged.save(path)
        except FxauditError as error:
            failures.append(error)
    if not delivery.quiet:
        try:
            print_report(judged, delivery.format, out, verbose=delivery.verbose)
        except UnwritableOutputError as error:
            failures.append(error)
        except FxauditError as error:
            say_if_possible(judged.summary, out)
            failures.append(error)
    for failure in failures:
        complain(str(failure))
    return USAGE if failures else judged.exit_code


def print_report(report: Report, format_: str, out: IO[str], *, verbose: bool = False) -> None:
    """Print the report in one format: in colour and as wide as it is, where a terminal shows it."""
    if format_ == "terminal":
        from rich.console import Console

        from fxaudit.renderers.text.terminal import render, to_rich

        console = Console(file=out)
        if console.is_terminal:
            with told_of(out):
                _guarded(lambda: console.print(to_rich(report, verbose=verbose)))
            return
        say(_guarded(lambda: render(report, width=_piped_width(), verbose=verbose)).rstrip("\n"), out)
        return
    from fxaudit.renderers import render as rendered

    text = rendered(report, format_)
    say((text if isinstance(text, str) else text.decode()).rstrip("\n"), out)


def _guarded(make: Callable[[], T]) -> T:
    """What `make` returns.

    Raises:
        RenderingError: It raised something that nobody expected.
    """
    try:
        return make()
    except (FxauditError, OSError):
        raise
    except Exception as error:
        if os.environ.get(STRICT):
            raise
        raise RenderingError(
            f"The report could not be printed, because fxaudit itself failed there ({described(error)}). "
            "`-o report.json` keeps all of it."
        ) from error


def _piped_width() -> int:
    """The columns that COLUMNS asks for, else as many as a log has."""
    asked = os.environ.get("COLUMNS", "")
    return max(40, int(asked)) if asked.isdecimal() else 100


def complain(message: str) -> int:
    """Say on stderr what is wrong, and return the status of wrong usage."""
    say_if_possible(f"fxaudit: error: {message}", sys.stderr)
    return USAGE


def say_if_possible(text: str, stream: IO[str]) -> None:
    """Write a line; if nobody can be told, nobody is."""
    with contextlib.suppress(UnwritableOutputError):
        say(text, stream)
