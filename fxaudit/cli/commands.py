"""The command line: a thin shell over the script runner, `audit()` and the renderers.

Nothing is decided here but what usage is wrong, in which order things are said, and where they go. torch is imported by
the commands that need it, so that `fxaudit --help`, `render` and `diff` answer at once.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import click

from fxaudit import NO_TORCH
from fxaudit._version import __version__
from fxaudit.cli.configuration import settings, told
from fxaudit.cli.delivery import (
    USAGE,
    Delivery,
    complain,
    deliver,
    hand_out,
    keep,
    print_report,
    say_if_possible,
    what_is_left,
)
from fxaudit.cli.expecting import expect as expect_
from fxaudit.cli.expecting import others
from fxaudit.cli.shared_options import (
    FORMATS,
    checked_output,
    expect_option,
    expectations_of,
    report_options,
    verbose_option,
    writable,
)
from fxaudit.cli.streams import Stream
from fxaudit.errors import (
    FxauditError,
    InvalidRecordingError,
    InvalidReportError,
)
from fxaudit.judge.expectations import check_patterns

if TYPE_CHECKING:
    from fxaudit.cli.made_again import Making
    from fxaudit.report import Report

__all__ = ["main"]

VIEWS = ("modules", "operations", "autograd", "why")

NOTHING_AUDITED = 3
INTERRUPTED = 130


def main(args: list[str] | None = None) -> int:
    """Run the command in `args` (default: the process's own) and return its exit status.

    0: nothing at or above `--fail-on` was found. 1: something was. 2: wrong usage, told on stderr. 3: nothing could be
    audited. An audited script's own status is passed on where the audit has none of its own. Nothing is raised, not
    even SystemExit, unless fxaudit itself has a defect.
    """
    try:
        status = commands.main(args=args, prog_name="fxaudit", standalone_mode=False, windows_expand_args=False)
    except click.UsageError as error:
        if error.ctx is not None:
            click.echo(error.ctx.get_usage(), err=True)
        return complain(error.format_message())
    except click.ClickException as error:
        return complain(error.format_message())
    except click.Abort:
        return INTERRUPTED
    except FxauditError as error:
        return complain(str(error))
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        return complain(f"this command needs PyTorch. {NO_TORCH}")
    return int(status or 0)


@click.group(
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 nothing found at or above --fail-on, 1 findings, 2 wrong usage, 3 nothing could be audited.",
)
@click.version_option(__version__, prog_name="fxaudit", message="%(prog)s %(version)s")
def commands() -> None:
    """Why aren't my parameters updating?

    fxaudit says of every parameter of a PyTorch model whether training changes it, and if not, what stops it and on
    which line.
    """


@commands.command(
    context_settings={"allow_interspersed_args": False}, options_metavar="[options]", short_help="Watch a script train."
)
@click.option("-m", "as_module", is_flag=True, help="SCRIPT is a module's name, as with `python -m`.")
@click.option(
    "--steps", type=click.IntRange(min=1), metavar="N", help="Record N training steps instead of as many as are needed."
)
@click.option(
    "--to-end", is_flag=True, help="Let the script run to its end instead of stopping it after the recorded steps."
)
@click.option(
    "--prove", is_flag=True, help="Run the step again without each culprit, to see its parameters come alive."
)
@click.option(
    "--record", metavar="FILE.fxr", help="Also write all that was seen to FILE, for `fxaudit judge` to judge it again."
)
@click.option("--fix", is_flag=True, help="Try edits in copies of the script, and show those that were seen to work.")
@click.option("--write", is_flag=True, help="With --fix: write what was seen to work into the files.")
@expect_option
@report_options
@click.argument("script", nargs=-1, type=click.UNPROCESSED, metavar="script.py [args...]")
def run(
    script: tuple[str, ...],
    as_module: bool,
    steps: int | None,
    to_end: bool,
    prove: bool,
    record: str | None,
    fix: bool,
    write: bool,
    expect: tuple[str, ...],
    delivery: Delivery,
) -> int:
    """Watch an unmodified training script for a few steps, then report.

    Everything after the script belongs to the script. Its output comes first, then its traceback if it died, then the
    report.
    """
    if not script:
        raise click.UsageError("no module given; -m expects its name" if as_module else "no script given to run")
    if write and not fix:
        raise click.UsageError("--write writes what --fix found: give both")
    expectations = expectations_of(expect)
    recorded = writable(record, "recording") if record is not None else None
    # Whatever the script does to sys.stdout, the report goes where the shell expects it.
    streams = Stream(sys.stdout), Stream(sys.stderr)
    for stream in streams:
        click.get_current_context().call_on_close(stream.close)
    err, hook = sys.stderr, sys.excepthook
    alone, first = os.environ.get("WORLD_SIZE", "1") == "1", os.environ.get("RANK", "0") == "0"
    speaks = not delivery.quiet and err.isatty() and (alone or first)

    def tell(report: Report) -> int:
        out, err = (stream.now() for stream in streams)
        if report.traceback and (sys.excepthook is hook or not alone):  # else the script's own has said it already
            say_if_possible(report.traceback.rstrip("\n"), err)
        status = deliver(report, delivery, out) or _script_status(report)
        if report.parameters:
            check_patterns(expectations, report.parameters)  # the report is out: nothing of a long run is lost
        return status

    options: dict[str, Any] = {
        "module": as_module,
        "steps": steps or delivery.settings.steps,
        "to_end": to_end,
        "expect": {**expectations, **others(delivery.settings.expect, expectations)} or None,
        "record": recorded,
        "progress": (lambda text: say_if_possible(f"fxaudit: {text}", err)) if speaks else None,
    }
    if not alone:
        if recorded is not None:
            recorded = recorded.with_suffix(f".rank{os.environ.get('RANK', '0')}{recorded.suffix}")
        options["record"] = recorded
        from fxaudit.run.ranks.exchange import Company
        from fxaudit.run.script import run_rank

        company = Company.of_launcher()
        if company is not None and prove:
            raise click.UsageError("--prove runs the script again, which several processes cannot do one by one")
        if company is not None:
            started, cwd = time.time(), os.getcwd()

            def mend_and_tell(report: Report) -> int:
                from fxaudit.run.mending import Texts, mend
                from fxaudit.run.rank_trials import RankTrials

                took, again = time.time() - started, {n: options[n] for n in ("module", "steps", "to_end")}
                expect = options["expect"] or {}
                trials = RankTrials.of(company, list(script), **again, expect=expect, cwd=cwd, alone=took)
                mended = mend(report, trials, Texts(started))
                status = tell(mended.report)
                if write:
                    _write(mended.texts, err)
                return status

            return run_rank(list(script), company, mend_and_tell if fix else tell, **options)
    from fxaudit.run.leaving import LastWords
    from fxaudit.run.script import run_script

    last_words = LastWords(tell, lambda report: keep(report, delivery))
    with last_words.attending():
        started, cwd = time.time(), os.getcwd()
        report = run_script(list(script), last_words=last_words, **options)
        took = time.time() - started
        if prove:
            from fxaudit.run.rerun import prove_by_rerun

            report = prove_by_rerun(report, list(script), as_module)
        if not fix:
            return tell(report)
    from fxaudit.run.mending import Texts, mend
    from fxaudit.run.trial import Trials

    with Trials(list(script), as_module, options["steps"], to_end, options["expect"] or {}, cwd, took) as trials:
        mended = mend(report, trials, Texts(started))
    status = tell(mended.report)
    if write:
        _write(mended.texts, err)
    return status


def _write(texts: Mapping[str, tuple[str, str]], err: IO[str] | None = None) -> None:
    """Write what was seen to work, and say so."""
    from fxaudit.run.apply import write_patch

    for sentence in write_patch(texts) if texts else ["no fix was seen to work; nothing is written"]:
        say_if_possible(f"fxaudit: {sentence}", err or sys.stderr)


@commands.command(options_metavar="[options]", short_help="Judge a recording again.")
@expect_option
@report_options
@click.argument("recording", metavar="FILE.fxr")
def judge(recording: str, expect: tuple[str, ...], delivery: Delivery) -> int:
    """Judge again what `fxaudit run --record FILE.fxr` saw: nothing of the recorded program runs, and neither it nor
    torch has to be there.
    """
    expectations = expectations_of(expect)
    try:
        data = Path(recording).read_bytes()
    except OSError as error:
        raise InvalidRecordingError(
            f"Cannot read {recording!r}: {error.strerror}. Expected a file that `fxaudit run --record` wrote."
        ) from error
    from fxaudit.judge.from_file import judged_again
    from fxaudit.judge.write_up import Options
    from fxaudit.report import Report

    try:
        asked = {**expectations, **others(delivery.settings.expect, expectations)}
        report = Report.of(judged_again(data, Options(expect=asked)))
    except InvalidRecordingError as error:
        raise InvalidRecordingError(f"{recording}: {error}") from error
    if report.parameters:
        check_patterns(expectations, report.parameters)
    return deliver(report, delivery, sys.stdout)


@commands.command(options_metavar="[options]", short_help="Audit what a function of yours returns.")
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    metavar="N",
    help="Rehearse at most N steps where a gradient is zero or absent.",
)
@click.option(
    "--prove/--no-prove",
    default=None,
    help="Whether to run the step again without each culprit (default: as audit() does).",
)
@click.option("--fix", is_flag=True, help="Try edits in copies of the process, and show those that were seen to work.")
@click.option("--write", is_flag=True, help="With --fix: write what was seen to work into the files.")
@click.option(
    "--device",
    type=click.Choice(["meta"]),
    help="Make the model on the meta device, where it takes no memory, and judge its structure without running it.",
)
@expect_option
@click.option(
    "--jobs", type=click.IntRange(min=1), default=1, metavar="N", help="Audit so many targets at a time, if several."
)
@report_options
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
def check(
    targets: tuple[str, ...],
    steps: int | None,
    prove: bool | None,
    fix: bool,
    write: bool,
    device: str | None,
    jobs: int,
    expect: tuple[str, ...],
    delivery: Delivery,
) -> int:
    """Audit what TARGET returns; of several, each in a process of its own, in one report.

    TARGET is `module:callable` or `file.py:callable`. The callable takes nothing and returns a module, a tuple
    (model, loss, optimizer), or a dict of the arguments of fxaudit.audit.
    """
    if write and (not fix or len(targets) > 1):
        raise click.UsageError("--write writes what --fix found of one target: give both")
    expectations = expectations_of(expect)
    options = {"steps": steps, "prove": prove}
    if len(targets) > 1:
        asked = {**options, "expect": expectations, "fix": fix, "device": device}
        return _several(list(dict.fromkeys(targets)), asked, jobs, delivery)
    from fxaudit.cli.targets import audit_arguments

    def make() -> dict[str, object]:
        arguments = audit_arguments(targets[0], device)
        expect_(arguments, expectations, delivery.settings)
        arguments.update({name: value for name, value in options.items() if value is not None})
        return arguments

    if not fix:
        return _audited(targets[0], make(), delivery)
    from fxaudit.cli.made_again import Making

    making = Making(make)
    return _audited(targets[0], make(), delivery, making, write)


@commands.command(options_metavar="[options]", short_help="Audit a model's structure without running it.")
@click.option(
    "--ops",
    is_flag=True,
    help="Print the operations instead of a report; -o FILE then takes .json, .txt, .dot or .svg.",
)
@expect_option
@report_options
@click.argument("target")
def trace(target: str, ops: bool, expect: tuple[str, ...], delivery: Delivery) -> int:
    """Audit the structure of the module TARGET gives, by symbolic trace: nothing is executed, no data is needed.

    TARGET is `module:callable` or `file.py:callable`; the callable returns a module (or a tuple that begins with one),
    or is itself a class of modules that can be made without arguments.
    """
    expectations = expectations_of(expect)
    from fxaudit.cli.targets import traced_module

    if ops:
        return _operations(target, delivery)
    arguments: dict[str, object] = {"model": traced_module(target)}
    expect_(arguments, expectations, delivery.settings)
    return _audited(target, arguments, delivery)


@commands.command(options_metavar="[options]", short_help="Write a saved report in another form.")
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    metavar="FILE",
    help="Write FILE; the suffix picks the format. Repeatable.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    default="terminal",
    show_default=True,
    help="Format on stdout, where there is no -o.",
)
@click.option("--parameter", metavar="NAME", help="Draw this parameter's way to the loss (pictures only).")
@click.option("--view", type=click.Choice(VIEWS), help="What a picture shows (pictures only).")
@verbose_option
@click.argument("report_json")
def render(
    report_json: str, outputs: tuple[str, ...], format_: str, parameter: str | None, view: str | None, verbose: bool
) -> int:
    """Write the saved report REPORT_JSON in another form: to the files named by -o, else to stdout.

    Needs neither torch nor the audited script.
    """
    paths = [checked_output(output) for output in outputs]
    report = _saved_report(report_json)
    if parameter is not None or view is not None:
        _draw(report, paths, parameter, view)
    elif paths:
        for path in paths:
            report.save(path)
    else:
        print_report(report, format_, sys.stdout, verbose=verbose)
    return 0


@commands.command(short_help="Compare two saved reports.")
@click.argument("old_json")
@click.argument("new_json")
def diff(old_json: str, new_json: str) -> int:
    """Print which verdicts and causes differ between two saved reports; the exit status is 1 when NEW_JSON is worse."""
    difference = _saved_report(old_json).diff(_saved_report(new_json))
    from fxaudit.renderers.text.wording import inert

    say_if_possible("\n".join(inert(line) for line in str(difference).split("\n")), sys.stdout)
    return int(difference.worse)


@commands.command(short_help="Explain a rule.")
@click.argument("code")
def explain(code: str) -> int:
    """Print the page of the rule CODE, such as FXA104: what is wrong, why it matters, and how to mend it."""
    from rich.console import Console

    from fxaudit.judge.explained import explain as page

    console = Console(file=sys.stdout)
    if not console.is_terminal:
        say_if_possible(page(code), sys.stdout)
        return 0
    from rich.markdown import Markdown

    console.print(Markdown(page(code), code_theme="ansi_dark", hyperlinks=False))
    return 0


@commands.command(short_help="Print the settings that hold here.")
@click.option("--config", metavar="FILE", help="Take the settings from FILE instead of the nearest pyproject.toml.")
def config(config: str | None) -> int:
    """Print what `[tool.fxaudit]` of the nearest pyproject.toml settles, what the defaults are, and where each comes
    from. Options of a command go before both.
    """
    known = settings(config)
    rows = told(known)
    width = max(len(name) for name, _, _ in rows)
    for name, value, where in rows:
        for number, line in enumerate(value.split("\n")):
            shown = os.path.relpath(where) if number == 0 and where != "default" else where if number == 0 else ""
            say_if_possible(
                f"{name if number == 0 else '':<{width}}  {line}" + (f"  ({shown})" if shown else ""), sys.stdout
            )
    return 0


@commands.command(short_help="List all rules.")
def rules() -> int:
    """List all rules by code: code, level, name and title."""
    from fxaudit.judge.rules import RULES

    width = max((len(rule.name) for rule in RULES), default=0)
    for rule in sorted(RULES, key=lambda rule: rule.code):
        say_if_possible(f"{rule.code}  {rule.level:<7}  {rule.name:<{width}}  {rule.title()}", sys.stdout)
    return 0


def _operations(target: str, delivery: Delivery) -> int:
    """Print the symbolic trace of what TARGET gives, and write it to the files named by -o."""
    from fxaudit.api import trace as traced
    from fxaudit.cli.targets import traced_module
    from fxaudit.renderers.text.wording import inert

    found = traced(traced_module(target))
    for path in delivery.outputs:
        found.save(path)
    if not delivery.quiet:
        say_if_possible("\n".join(inert(line) for line in str(found).split("\n")), sys.stdout)
    return 0 if found.status == "traced" else NOTHING_AUDITED


def _several(targets: list[str], options: dict[str, Any], jobs: int, delivery: Delivery) -> int:
    """Audit each target in a process of its own, and deliver one report. What they printed comes before it."""
    import torch  # noqa: F401  # told once where it is missing, and not by each process

    from fxaudit.answer.together import together
    from fxaudit.cli.several import audited_apart
    from fxaudit.report import Report

    file = delivery.settings.file
    outcomes = audited_apart(targets, {**options, "config": str(file) if file is not None else None}, jobs)
    reports: dict[str, Report] = {}
    problems: list[str] = []
    for outcome in outcomes:
        for text, stream in ((outcome.out, sys.stdout), (outcome.err, sys.stderr)):
            if text:
                say_if_possible(text.rstrip("\n"), stream)
        if outcome.report is not None:
            reports[outcome.target], found = what_is_left(outcome.report, delivery, outcome.target)
            problems += found
    failed = max((outcome.status for outcome in outcomes if outcome.report is None), default=0)
    if not reports:
        return min(outcome.status for outcome in outcomes)
    status = hand_out(together(reports, Report()), delivery, sys.stdout, problems)
    return USAGE if USAGE in (status, *(outcome.status for outcome in outcomes)) else status or failed


def _audited(
    target: str,
    arguments: dict[str, object],
    delivery: Delivery,
    making: Making | None = None,
    write: bool = False,
) -> int:
    """Audit, and deliver the report. What the user's own forward or loss raises is shown with its traceback."""
    from fxaudit.api import audit

    texts: Mapping[str, tuple[str, str]] = {}
    try:
        # The target's author wrote these arguments; `audit` checks them as it checks any caller's.
        if making is None:
            report = audit(**cast("dict[str, Any]", arguments))
        else:
            mended = making.mended(arguments)
            report, texts = mended.report, mended.texts
    except FxauditError:
        raise
    except Exception as error:
        say_if_possible(traceback.format_exc().rstrip("\n"), sys.stderr)
        complain(f"nothing could be audited: {target} raised {type(error).__name__} when it ran")
        return NOTHING_AUDITED
    status = deliver(report, delivery, sys.stdout, target)
    if write:
        _write(texts)
    return status


def _script_status(report: Report) -> int:
    """The status that plain `python` would have ended with."""
    if report.script_exit is None:
        return 0
    try:
        return int(report.script_exit)
    except ValueError:
        return 1


def _draw(report: Report, paths: list[Path], parameter: str | None, view: str | None) -> None:
    """Write a picture of one parameter or one view to each of `paths`."""
    from fxaudit.renderers import format_of, write_whole
    from fxaudit.renderers.picture import draw as pictures

    drawings: dict[str, Callable[..., str | bytes]] = {
        "svg": pictures.svg,
        "png": pictures.png,
        "pdf": pictures.pdf,
        "dot": pictures.dot,
    }
    others = [path.name for path in paths if format_of(path) not in drawings]
    if others or not paths:
        known = ", ".join(f".{name}" for name in drawings)
        raise click.UsageError(
            f"--parameter and --view draw a picture: expected -o FILE with one of the suffixes {known}, "
            f"got {', '.join(others) or 'no file'}"
        )
    for path in paths:
        drawn = drawings[format_of(path)](report, parameter=parameter, view=view or "modules")
        write_whole(path, drawn)


def _saved_report(name: str) -> Report:
    """The report saved in the JSON file `name`.

    Raises:
        InvalidReportError: The file cannot be read, or is no saved report.
    """
    from fxaudit.report import Report

    try:
        text = Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InvalidReportError(
            f"Cannot read {name!r}: {reason}. Expected a report saved with -o NAME.json."
        ) from error
    try:
        return Report.from_json(text)
    except InvalidReportError as error:
        raise InvalidReportError(f"{name}: {error}") from error
