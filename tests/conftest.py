"""What holds for all tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from fxaudit.attempts import STRICT

# A part that fails is left out of a user's report; in the tests it is a defect, and raises.
os.environ.setdefault(STRICT, "1")

# The same examples in every run: a change is judged by what it changes, not by the dice. `make explore` draws new ones.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=20_000, deadline=None, print_blob=True)
settings.load_profile("repeatable")

# Programs to audit, not modules with examples in their docstrings; some import libraries that need not be there.
collect_ignore_glob = ["programs/*", "projects/*", "trainers/*"]


if TYPE_CHECKING:
    from fxaudit.answer.answer import Answer
    from fxaudit.capture.frozen import Recording
    from fxaudit.judge.write_up import Options


def keep_recordings(folder: Path) -> None:
    """Write whatever is judged in this process and its copies to `folder`, from where it can be judged again."""
    from fxaudit.capture import lines
    from fxaudit.capture.recording_file import to_bytes
    from fxaudit.run import examination
    from tests.kept import Keeper

    keeper, judge = Keeper(folder), examination.judged

    def keeping(recording: Recording, options: Options) -> Answer:
        heard = lines._GETTRACE()
        sys.settrace(None)  # these lines are not the program's
        try:
            keeper.keep(to_bytes(recording))
        finally:
            sys.settrace(heard)
        return judge(recording, options)

    examination.judged = keeping


if KEEP := os.environ.get(
    "FXAUDIT_KEEP_RECORDINGS"
):  # `make coverage`: a coverage tool and the lines exclude each other
    keep_recordings(Path(KEEP).absolute())


@pytest.fixture(scope="session")
def first_step_paid() -> None:
    """Copies that are forked from here on need not pay for the first step of an optimizer."""
    from tests.warming import pay_for_the_first_step

    pay_for_the_first_step()
