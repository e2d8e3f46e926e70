"""Running a user's script under observation, as plain `python` would run it."""

from __future__ import annotations

import builtins
import contextlib
import importlib.machinery
import io
import os
import runpy
import sys
import traceback
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import torch

from fxaudit.answer.answer import Answer, Crash
from fxaudit.answer.document import from_text, to_text
from fxaudit.errors import InvalidTargetError
from fxaudit.program.source import PACKAGE, SourceLine, absolute_path, is_library, is_skipped, qualified_name
from fxaudit.report import Report
from fxaudit.run.copy import Copy, can_fork
from fxaudit.run.leaving import LastWords, Way
from fxaudit.run.loop import Observation
from fxaudit.run.ranks.exchange import Company, Terminated
from fxaudit.run.ranks.merge import Ending
from fxaudit.run.read_only import write_nothing

__all__ = ["run_rank", "run_script"]

CHILD_SECONDS = 60.0
"""How long the forked copy that lets a refused mistake through may go on."""


class _Enough(BaseException):
    """Ends the script when enough was seen; no `except Exception` catches it."""


def run_script(
    argv: list[str],
    *,
    module: bool = False,
    steps: int | None = None,
    to_end: bool = False,
    expect: Mapping[str, str] | None = None,
    progress: Callable[[str], None] | None = None,
    record: Path | None = None,
    prepare: Callable[[Observation], None] | None = None,
    last_words: LastWords | None = None,
) -> Report:
    """Run `argv[0]` with the arguments `argv[1:]` as plain `python` would, and report what was seen of its training.

    The script is recorded until every parameter that an optimizer holds is seen to train or its cause is settled, at
    most 50 steps (`steps` fixes the number), and then ended, unless `to_end` lets it finish. Its output, arguments,
    exit code and traceback are its own.

    Args:
        argv: The script's path, or the module's name, and its arguments.
        module: Run `argv[0]` as a module, like `python -m`.
        steps: Record exactly this many optimizer steps.
        to_end: Let the script run to its end, unobserved after the recorded steps.
        expect: Name patterns and the verdicts expected of them.
        progress: Called with a short sentence now and then.
        record: The file to which the recording is written, for `fxaudit judge`.
        prepare: Called with the observation before the script starts.
        last_words: Says what was seen where the process goes without coming back here.

    Returns:
        The report; `report.traceback` and `report.script_exit` say how the script ended.

    Raises:
        InvalidTargetError: The script does not exist, is no file, or has a syntax error.
    """
    script = _resolve(argv, module)
    observation = Observation(title=argv[0], steps=steps, expect=dict(expect or {}), progress=progress, record=record)
    if prepare is not None:
        prepare(observation)
    report, _ = _run(observation, script, argv, module, to_end, last_words)
    return Report.of(report)


def run_rank(
    argv: list[str],
    company: Company,
    deliver: Callable[[Report], int],
    *,
    module: bool = False,
    steps: int | None = None,
    to_end: bool = False,
    expect: Mapping[str, str] | None = None,
    progress: Callable[[str], None] | None = None,
    record: Path | None = None,
) -> int:
    """Run a script as `run_script` does, as one of several processes that all do.

    All ranks stop together, and their reports are merged into one, which one of them delivers.

    Args:
        argv: As for `run_script`; so are `module`, `steps`, `to_end`, `expect`, `progress` and `record`.
        company: This process's rank, and the others.
        deliver: Called with the merged report, on one rank only; returns the exit status.
        module: See `run_script`.
        steps: See `run_script`.
        to_end: See `run_script`.
        expect: See `run_script`.
        progress: See `run_script`.
        record: See `run_script`; every rank needs a file of its own.

    Returns:
        The exit status that `deliver` returned, the same on every rank.
    """
    script = _resolve(argv, module)
    observation = Observation(title=argv[0], steps=steps, expect=dict(expect or {}), progress=progress, record=record)
    observation.compares = True
    if not to_end:
        observation.may_end = lambda done: company.may_leave(done, observation.rounds)

    def conclude(report: Answer, ending: Ending, where: str = "", deaths_before: int = 0) -> int:
        return company.conclude(
            observation.rank_report(report, ending, where=where, deaths_before=deaths_before),
            lambda merged: deliver(Report.of(merged)),
        )

    company.script = frozenset({_run_code.__code__, runpy.run_module.__code__})
    company.on_stuck = lambda ending, where: conclude(observation.report(), ending, where)
    with company.attending():
        report, ending = _run(observation, script, argv, module, to_end)
        deaths_before = company.ended(ending)
    return conclude(report, ending, deaths_before=deaths_before)


def _run(
    observation: Observation,
    script: Any,
    argv: list[str],
    module: bool,
    to_end: bool,
    last_words: LastWords | None = None,
) -> tuple[Answer, Ending]:
    """Run the script under observation: (its report, how it ended)."""
    observation.session.record.stacks.outermost.update({_run_code.__code__, _execute.__code__})
    ending = _Ending(observation, to_end)
    observation.on_enough = ending.enough
    child = _Refusals(observation)
    if last_words is not None:
        ending.keep = last_words.keep
        last_words.make = lambda way, what: _cut_short(observation, child, way, what)
    with _as_main(argv, module), last_words.of_the_script() if last_words is not None else contextlib.nullcontext():
        code, death = _execute(script, argv, module, observation, child, ending)
    observation.session.died = death is not None
    let_through = child.collect()
    if let_through is not None:
        said = "PyTorch refuses what the script does; the rest was seen in a copy that went on as if let through."
        let_through = replace(let_through, notes=(*let_through.notes, said))
    report = let_through or observation.report()
    return replace(report, script_exit=code, traceback=death, crash=observation.crash), ending.kind(death)


def _cut_short(observation: Observation, child: _Refusals, way: Way, what: str) -> Report:
    """The report for a process that goes here and now."""
    child.abandon()
    observation.session.died = way in ("signal", "abort")
    report = observation.report()
    match way:
        case "signal":
            report = replace(report, script_exit=f"{what}: the process was ended from outside")
        case "abort":
            report = replace(report, script_exit=f"{what}()")
        case "exit":
            report = replace(report, script_exit=what if what != "0" else None)
        case "exec":
            said = f"The script gave its process over to another program (`{what}`); what that did was not seen."
            report = replace(report, notes=(*report.notes, said))
    return Report.of(report)


def _resolve(argv: list[str], module: bool) -> Any:
    """The compiled script, or None for a module."""
    if not argv:
        raise InvalidTargetError("No script was given. Expected: fxaudit run script.py [args…].")
    if module:
        return None
    path = Path(argv[0])
    if not path.exists():
        raise InvalidTargetError(f"There is no script {argv[0]!r}. Expected: the path of a Python file.")
    if path.is_dir():
        raise InvalidTargetError(f"{argv[0]!r} is a directory. Expected: the path of a Python file, or `-m package`.")
    try:
        with io.open_code(os.path.abspath(path)) as file:
            source = file.read()
    except OSError as error:
        raise InvalidTargetError(f"The script {argv[0]!r} cannot be read: {error.strerror}.") from error
    try:
        return compile(source, _as_python_names(argv[0]), "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        if isinstance(error, SyntaxError):
            text = "".join(traceback.format_exception_only(error)).rstrip()
            raise InvalidTargetError(f"The script {argv[0]!r} has a syntax error.\n{text}") from error
        raise InvalidTargetError(f"The script {argv[0]!r} is no Python source: {error}.") from error


def _is_of_the_search(error: ImportError) -> bool:
    """Whether the error comes from looking for the module, not from running it."""
    frames = traceback.extract_tb(_trimmed(error.__traceback__))
    return all("importlib" in frame.filename or "runpy" in frame.filename for frame in frames)


def _as_python_names(script: str) -> str:
    """The path that plain `python` puts into `__file__` and into tracebacks."""
    return os.path.abspath(script)


@contextlib.contextmanager
def _as_main(argv: list[str], module: bool) -> Iterator[None]:
    """`sys.argv` and `sys.path[0]` as the script expects them; they, and what imports, are put back afterwards."""
    arguments, path, finders = sys.argv, list(sys.path), list(sys.meta_path)
    main = sys.modules.get("__main__")
    sys.argv = list(argv)
    first = os.getcwd() if module else str(Path(argv[0]).resolve().parent)
    if sys.path:
        sys.path[0] = first
    try:
        yield
    finally:
        sys.argv, sys.path[:], sys.meta_path[:] = arguments, path, finders
        if main is not None:
            sys.modules["__main__"] = main


def _execute(
    script: Any, argv: list[str], module: bool, observation: Observation, child: _Refusals, ending: _Ending
) -> tuple[str | None, str | None]:
    """Run it under observation. Returns (exit code or exception, formatted traceback)."""
    observation.on_refusal = child.fork
    hook = sys.excepthook
    try:
        with observation.watching():
            if module:
                runpy.run_module(argv[0], run_name="__main__", alter_sys=True)
            else:
                _run_code(script, _as_python_names(argv[0]), ending.main)
        return None, None
    except _Enough:
        return None, None
    except Terminated:
        ending.terminated = True
        return None, None
    except SystemExit as error:
        if ending.ended:
            return None, None
        return _exit_text(error), None
    except KeyboardInterrupt as error:
        if not observation.compares:
            _tell_its_hook(error, hook)
        return "KeyboardInterrupt", _own_traceback(error)
    except BaseException as error:  # whatever the script dies of belongs into its report
        if ending.ended:
            return None, None
        if module and isinstance(error, ImportError) and _is_of_the_search(error):
            raise InvalidTargetError(f"There is no module {argv[0]!r}: {error}.") from error
        if not observation.compares:  # of several processes one tells for all
            _tell_its_hook(error, hook)
        observation.session.died_switched_off = _is_of_a_backward(error) and not torch.is_grad_enabled()
        observation.crash = Crash(_own_line(error), 0 if observation.has_ended else observation.all_steps + 1)
        return f"{type(error).__name__}: {_message(error)}", _own_traceback(error)
    finally:
        if ending.ended:
            sys.settrace(None)
        child.leave_if_child()


def _is_of_a_backward(error: BaseException) -> bool:
    """Whether PyTorch raised it while it was asked for a backward."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    home = os.path.dirname(torch.autograd.__file__)
    return isinstance(error, RuntimeError) and bool(frames) and frames[-1].f_code.co_filename.startswith(home)


def _tell_its_hook(error: BaseException, before: Any) -> None:
    """Call the `sys.excepthook` that the script has set, if it has, as Python does when a script dies."""
    hook = sys.excepthook
    if hook is before:
        return
    try:
        hook(type(error), error, _trimmed(error.__traceback__))
    except Exception as wrong:
        wrong.__context__ = None if wrong.__context__ is error else wrong.__context__  # Python calls it afterwards
        said = f"Error in sys.excepthook:\n{_own_traceback(wrong)}\nOriginal exception was:\n{_own_traceback(error)}"
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(said)


def _own_line(error: BaseException) -> SourceLine | None:
    """The innermost line of the user's own project that the exception came through; else the innermost of any."""
    frames = list(traceback.walk_tb(_trimmed(error.__traceback__)))
    lines = [(frame.f_code, line) for frame, line in frames if not is_skipped(frame.f_code.co_filename)]
    own = [(code, line) for code, line in lines if not is_library(code.co_filename)]
    if not (own or lines):
        return None
    code, line = (own or lines)[-1]
    return SourceLine.at(code.co_filename, line, qualified_name(code))


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # the user's own `__str__` raises
        return "<its message could not be had: str() raised>"


def _run_code(code: Any, path: str, main: types.ModuleType) -> None:
    main.__file__ = path
    main.__loader__ = importlib.machinery.SourceFileLoader("__main__", path)
    main.__builtins__ = builtins  # type: ignore[attr-defined]
    main.__dict__["__cached__"] = None
    sys.modules["__main__"] = main
    exec(code, main.__dict__)


def _exit_text(error: SystemExit) -> str | None:
    if error.code is None or error.code == 0:
        return None
    if isinstance(error.code, int):
        return str(int(error.code))
    text = ""
    with contextlib.suppress(Exception):  # the user's own `__str__` raises
        text = str(error.code)
    with contextlib.suppress(Exception):  # the stream is closed, or None
        sys.stderr.write(f"{text}\n")
    return "1"


def _own_traceback(error: BaseException) -> str:
    """The traceback as plain `python` prints it: without the frames of fxaudit and of the machinery that runs
    scripts."""
    formatted = traceback.TracebackException(type(error), error, _trimmed(error.__traceback__), compact=True)
    seen: set[int] = set()
    part: traceback.TracebackException | None = formatted
    while part is not None and id(part) not in seen:
        seen.add(id(part))
        kept = [
            frame
            for frame in part.stack
            if not absolute_path(frame.filename).startswith(PACKAGE)
            and not frame.filename.startswith("<frozen runpy")
            and not frame.filename.endswith(os.path.join("torch", "overrides.py"))
            and "handle_torch_function(" not in (frame.line or "")
        ]
        part.stack = traceback.StackSummary.from_list(kept)
        part = part.__cause__ or part.__context__
    return "".join(formatted.format())


def _trimmed(tb: TracebackType | None) -> TracebackType | None:
    while tb is not None and (
        absolute_path(tb.tb_frame.f_code.co_filename).startswith(PACKAGE) or "runpy" in tb.tb_frame.f_code.co_filename
    ):
        tb = tb.tb_next
    return tb


class _Ending:
    """Ends the script once enough was seen; again at the next event where something swallowed the exception."""

    def __init__(self, observation: Observation, to_end: bool) -> None:
        self.observation = observation
        self.to_end = to_end
        self.ended = False
        self.terminated = False
        self.keep: Callable[[Report], None] | None = None
        """Called with the report where the script goes on to its end without being recorded."""
        self.main = types.ModuleType("__main__")
        """The script's namespace: as long as it lives, so does what its variables hold, and the report can name it."""

    def kind(self, death: str | None) -> Ending:
        """How the script ended, as other ranks have to know it."""
        if self.terminated:
            return "terminated"
        if self.ended:
            return "enough" if self.observation.settling.done else "followed"
        return "death" if death is not None else "end"

    def enough(self) -> None:
        if self.to_end and not self.observation.session.lenient:
            self.observation.stop_recording()
            if self.keep is not None:
                said = "The script was still running when this was written."
                report = self.observation.report()
                self.keep(Report.of(replace(report, notes=(*report.notes, said))))
            return
        if self.ended:
            _raise_at_every_line()  # the script caught it, so it is raised until no handler is left
        self.ended = True
        raise _Enough


def _raise_at_every_line() -> None:
    """Raise `_Enough` at each further line of the user's: a loop's header stands outside of the `try` in its body."""

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        if event == "line" and not is_skipped(frame.f_code.co_filename):
            raise _Enough
        return trace

    sys.settrace(trace)
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if not is_skipped(frame.f_code.co_filename):
            frame.f_trace = trace
        frame = frame.f_back


class _Refusals:
    """What PyTorch refuses is let through in a forked copy that goes on, silently, and sends its report back."""

    def __init__(self, observation: Observation) -> None:
        self.observation = observation
        self.copy: Copy | None = None

    def fork(self, kind: str) -> None:
        """Called where PyTorch is about to refuse something: the copy returns with `lenient` set, the original as it
        was."""
        if self.copy is not None or not can_fork():
            return
        self.copy = Copy()
        if self.copy.is_child:
            write_nothing()
            self.observation.go_on_leniently()

    def collect(self) -> Answer | None:
        """The copy's report, if there is a copy and it sent one in time."""
        if self.copy is None:
            return None
        answer, _ = self.copy.answer(CHILD_SECONDS)
        return from_text(answer) if answer is not None else None

    def abandon(self) -> None:
        """End the copy, if there is one; nobody waits for its report."""
        if self.copy is not None and not self.copy.is_child:
            self.copy.answer(0.0)
            self.copy = None

    def leave_if_child(self) -> None:
        """In the copy: send the report and be gone."""
        if self.copy is not None and self.copy.is_child:
            self.copy.send_and_leave(lambda: to_text(self.observation.report()))
