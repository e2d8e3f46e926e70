"""The programs of `tests/programs`, recorded once and judged again in milliseconds: a net under changes of `judge`.

`python -m tools.recordings record` runs them all (some minutes) and keeps what was seen in `.recordings/`.
`python -m tools.recordings judge` judges that (seconds) and prints what is said otherwise than on record.
`python -m tools.recordings coverage` judges them, and whatever the tests recorded that ran with FXAUDIT_KEEP_RECORDINGS
set to `.recordings/tests`, asks for edits as `--fix` does, then runs the tests that ask the judge's functions
themselves, and prints how much of `fxaudit/judge` ran for it. The tests that run scripts cannot be measured while they
do: fxaudit and a coverage tool would both listen to the lines.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fxaudit.capture.frozen import Recording
from fxaudit.judge.from_file import judged_again
from fxaudit.judge.write_up import Options
from fxaudit.report import Report
from tests import judged
from tests.kept import Keeper, kept
from tools.program_answers import WORKERS, differences, one_thread

FOLDER = Path(__file__).parents[1] / ".recordings"
OF_TESTS = FOLDER / "tests"
PROGRAMS = [*judged.BUGS, *judged.HEALTHY]
DIRECT = (
    "tests/test_structure_with_inputs.py",
    "tests/test_symbolic_audit.py",
    "tests/test_doubts.py",
    "tests/test_step_graph.py",
    "tests/test_trail.py",
    "tests/test_questions.py",
    "tests/rules/test_pages.py",
    "tests/test_recordings.py",
    "tests/test_verdicts.py",
    "tests/test_told_besides.py",
    "tests/fixes/test_audits.py",
)
"""Where a test ends the tracing nothing more of its file is measured."""


def record() -> int:
    """Run all programs in their modes, and keep what was seen of each last."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.fxr"):
        old.unlink()
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn"), initializer=one_thread) as pool:
        list(pool.map(_record, PROGRAMS, chunksize=4))
    found = [*FOLDER.glob("*.fxr")]
    print(f"{len(found)} recordings, {sum(file.stat().st_size for file in found) / 1e6:.1f} MB, in {FOLDER.name}/")
    return 0


def file_of(path: Path, mode: str) -> Path:
    """Where the recording of a program in a mode is kept."""
    return FOLDER / f"{path.parent.name}.{path.stem}.{mode}.fxr"


def _record(path: Path) -> None:
    from fxaudit.capture.recording_file import to_bytes
    from fxaudit.judge.write_up import judged as judge
    from fxaudit.run import examination

    for mode in judged.modes_of(path):
        with TemporaryDirectory() as folder:
            keeper = Keeper(Path(folder))

            def keeping(recording: Recording, options: Options, mode: str = mode, keeper: Keeper = keeper) -> Any:
                if (recording.mode.seen == "one step") == (mode == "audit"):  # the audit is called inside a watch
                    sys.settrace(None)  # which still hears lines; these are not the program's
                    keeper.keep(to_bytes(recording))
                return judge(recording, options)

            examination.judged = keeping
            try:
                judged.judged(path, mode)
            finally:
                examination.judged = judge
                keeper.close()
            for last in [*kept(Path(folder))][-1:]:
                file_of(path, mode).write_bytes(last)


def judge() -> int:
    """Judge all recordings and print what differs from the answers on record; 1 when something does."""
    on_record, count, number = judged.answers_on_record(), 0, 0
    for path, mode, report in _reports():
        number += 1
        lines = differences(on_record.get(judged.name_of(path), {}).get(mode), judged.answer(report, path))
        if lines:
            count += 1
            print(f"{judged.name_of(path)} ({mode})", *lines, sep="\n")
    print(f"{number} recordings judged, {count} answers differ from those on record.")
    return 1 if count or not number else 0


def report_of(path: Path, mode: str) -> Report:
    """What is said of the recording of a program in a mode."""
    return Report.of(judged_again(file_of(path, mode).read_bytes(), Options()))


def _reports() -> Iterator[tuple[Path, str, Report]]:
    for path in PROGRAMS:
        for mode in judged.modes_of(path):
            if file_of(path, mode).exists():
                yield path, mode, report_of(path, mode)


def coverage() -> int:
    """The lines and branches of `fxaudit/judge` that judging the recordings, and the tests in DIRECT, run."""
    from coverage import Coverage

    measured = Coverage(source=["fxaudit.judge"], branch=True, data_file=None)
    measured.exclude(r"def (bad|good)\(")  # the rules' examples are programs
    for module in [name for name in sys.modules if name.partition(".")[0] in ("fxaudit", "tests")]:
        del sys.modules[module]  # what runs when they are imported counts, too
    measured.start()
    try:
        import importlib

        import pytest

        for file in DIRECT:
            pytest.main(["-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning", file])
            measured.stop(), measured.start()  # some test may have ended it
        again = importlib.import_module("fxaudit.judge.from_file")
        options = importlib.import_module("fxaudit.judge.write_up").Options
        fixes = importlib.import_module("fxaudit.judge.fixes")
        read = importlib.import_module("fxaudit.capture.recording_file").from_bytes
        programs = (file.read_bytes() for file in sorted(FOLDER.glob("*.fxr")))
        for data in (*programs, *kept(OF_TESTS)):
            with contextlib.suppress(Exception):  # a test recorded what does not hold together
                answer, texts = again.judged_again(data, options()), read(data).texts or {}
                for finding in answer.findings:
                    fixes.candidates(fixes.Ground(finding, answer, texts.get))
    finally:
        measured.stop()
    total = measured.report(show_missing=True, skip_covered=True)
    print(f"{total:.1f} % of the lines and branches of fxaudit/judge ran.")
    return 0


def main(arguments: list[str]) -> int:
    """Do what the one argument says."""
    commands = {"record": record, "judge": judge, "coverage": coverage}
    if len(arguments) != 1 or arguments[0] not in commands:
        print(f"Expected one of {', '.join(commands)}, got {' '.join(arguments) or 'nothing'}.", file=sys.stderr)
        return 2
    return commands[arguments[0]]()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
