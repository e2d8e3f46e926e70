"""The options that commands share, and what they say, checked before anything runs."""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import click

from fxaudit.answer.finding import LEVELS, Level
from fxaudit.cli.configuration import Settings, codes_of, settings
from fxaudit.cli.decided import read_baseline
from fxaudit.cli.delivery import Delivery
from fxaudit.errors import InvalidExpectationError, InvalidOptionError, UnwritableOutputError
from fxaudit.program.source import count_as_own

__all__ = [
    "FORMATS",
    "checked_output",
    "expect_option",
    "expectations_of",
    "report_options",
    "verbose_option",
    "writable",
]

FORMATS = ("terminal", "brief", "markdown", "json", "github", "sarif", "junit")
verbose_option = click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="In the terminal: also show the optimizers, the loop, and what --fix tried in vain.",
)


def report_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options of every command that makes a report; the command gets them as one `Delivery`.

    They are checked before the command runs: nobody waits for an audit to learn that its report has nowhere to go.
    """

    @click.option(
        "-o",
        "--output",
        "outputs",
        multiple=True,
        metavar="FILE",
        help="Also write the report to FILE; the suffix picks the format. Repeatable.",
    )
    @click.option(
        "--format",
        "format_",
        type=click.Choice(FORMATS),
        default="terminal",
        show_default=True,
        help="Format on stdout.",
    )
    @click.option(
        "--fail-on",
        type=click.Choice(LEVELS),
        help="The quietest level that makes the exit status 1. [default: error]",
    )
    @click.option(
        "--ignore",
        multiple=True,
        metavar="CODE|NAME",
        help="Leave out the findings of a rule, by its code, the beginning of one, or its name. Repeatable.",
    )
    @click.option("--baseline", metavar="FILE", help="Leave out the findings that FILE knows of; only new ones count.")
    @click.option("--update-baseline", is_flag=True, help="Write what is found into the baseline; nothing fails.")
    @click.option("--config", metavar="FILE", help="Take the settings from FILE instead of the nearest pyproject.toml.")
    @click.option("-q", "--quiet", is_flag=True, help="Print no report; the files and the exit status tell.")
    @verbose_option
    @functools.wraps(command)
    def with_delivery(
        *,
        outputs: tuple[str, ...],
        format_: str,
        fail_on: Level | None,
        ignore: tuple[str, ...],
        baseline: str | None,
        update_baseline: bool,
        config: str | None,
        quiet: bool,
        verbose: bool,
        **rest: object,
    ) -> int:
        known = settings(config)
        count_as_own(known.roots)
        paths = [checked_output(output) for output in outputs or map(str, known.outputs)]
        kept = writable(baseline, "baseline") if baseline is not None else known.baseline
        if update_baseline and kept is None:
            raise click.UsageError("--update-baseline needs to know which: give --baseline FILE, too")
        delivery = Delivery(
            outputs=tuple(paths),
            format=format_,
            quiet=quiet,
            verbose=verbose,
            fail_on=fail_on or known.fail_on or "error",
            ignore=_ignored(ignore, known),
            settings=known,
            baseline_file=kept,
            baseline=read_baseline(kept, updates=update_baseline) if kept is not None else None,
            updates_baseline=update_baseline,
        )
        return command(delivery=delivery, **rest)

    return with_delivery


def _ignored(values: tuple[str, ...], known: Settings) -> dict[str, str]:
    """Code of a rule → the reason, which an option does not give.

    Raises:
        click.BadParameter: A value is neither a code nor a name.
    """
    found = {code: reason for given, reason in known.ignore.items() for code in codes_of(given)}
    for value in values:
        try:
            found.update(dict.fromkeys(codes_of(value), ""))
        except InvalidOptionError as error:
            raise click.BadParameter(str(error), param_hint="--ignore") from None
    return found


expect_option = click.option(
    "--expect", multiple=True, metavar="PATTERN=VERDICT",
    help="Expect a verdict of the parameters that match, such as 'backbone.*=frozen'. Repeatable.",
)  # fmt: skip


def checked_output(text: str) -> Path:
    """`text` as an absolute path (the script may change directory), if a report can be written there.

    Raises:
        UnknownFormatError: No renderer writes files of this suffix.
        UnwritableOutputError: No file can be made there.
    """
    from fxaudit.renderers import format_of

    format_of(text)
    return writable(text, "report")


def writable(text: str, what: str) -> Path:
    """`text` as an absolute path, if a file can be made there.

    Raises:
        UnwritableOutputError: It cannot.
    """
    path = Path(text).absolute()
    problem = ""
    if path.is_dir():
        problem = "that is a directory. Name a file in it"
    elif not path.parent.is_dir():
        problem = f"there is no directory {os.path.dirname(text)!r}. Create it first"
    elif path.exists() and not os.access(path, os.W_OK):
        problem = "the file is write-protected. Name a file that you may write"
    else:
        try:
            # Asking the permissions is no proof: read-only mounts, quotas and root's rights all answer differently.
            with tempfile.TemporaryFile(dir=path.parent):
                pass
        except OSError as error:
            problem = f"{error.strerror or error}. Name a file that you may write"
    if problem:
        raise UnwritableOutputError(f"The {what} cannot be written to {text!r}: {problem}.")
    return path


def expectations_of(values: tuple[str, ...]) -> dict[str, str]:
    """The `--expect` values as pattern → verdict.

    Raises:
        InvalidExpectationError: A value has no `=`, or names no verdict.
    """
    from fxaudit.answer.answer import VERDICTS

    found: dict[str, str] = {}
    for value in values:
        pattern, equals, verdict = value.rpartition("=")
        if not equals or not pattern or verdict not in VERDICTS:
            raise InvalidExpectationError(
                f"--expect {value!r} is no expectation; expected PATTERN=VERDICT, such as 'backbone.*=frozen', "
                f"with one of the verdicts {', '.join(VERDICTS)}."
            )
        found[pattern] = verdict
    return found
