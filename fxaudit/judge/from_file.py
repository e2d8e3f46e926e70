"""Judging again what was recorded once: without torch, and without the program."""

from __future__ import annotations

import os

from fxaudit.answer.answer import Answer
from fxaudit.attempts import STRICT, described
from fxaudit.capture.recording_file import from_bytes
from fxaudit.errors import InvalidRecordingError
from fxaudit.judge.write_up import Options, judged

__all__ = ["judged_again"]


def judged_again(data: bytes, options: Options) -> Answer:
    """The report on a recording that was written to a file: `data` are its bytes.

    Raises:
        InvalidRecordingError: This is no recording, one of another version, or a damaged one.
    """
    recording = from_bytes(data)
    try:
        return judged(recording, options)
    except Exception as error:
        if os.environ.get(STRICT):
            raise
        raise InvalidRecordingError(
            f"This recording does not hold together ({described(error)}). Record it again."
        ) from error
