"""The place in the user's program, or beside it, where a value was written down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from fxaudit.program.course import Plain

__all__ = ["COUNTS", "NOT_HEARD", "Birth", "Stations"]

Stations = tuple[tuple[str, int, str], ...]
"""(file, line, what hands the value on there), from the effect towards the birth."""

Written = Literal["literal", "default", "option", "entry"]
NotHeard = Literal[
    "misspelt", "misplaced", "opposite", "crossed", "capitals", "overruled", "replaced", "rounded", "samples"
]
"""A setting that has no effect as it is written, or another."""
NOT_HEARD: tuple[str, ...] = get_args(NotHeard)
COUNTS = "here, which counts"
"""How the station of the entry that counts is told, where another one has no effect."""
Kind = Written | NotHeard | Literal["computed"]


@dataclass(frozen=True, slots=True)
class Birth:
    """The place from which a value comes: the line to edit."""

    file: str
    line: int
    kind: Kind
    text: str
    """What stands there, as it is written."""
    value: Plain
    stations: Stations = ()
    because: Stations = ()
    """Where an arithmetic has its operands from: (file, line, what is from there)."""

    is_whole: bool = False
    """Whether an integer division, or rounding, made it."""

    asked: str = ""
    """The text that a test asks for, and that this one nearly is."""

    @property
    def is_a_setting(self) -> bool:
        """Whether somebody wrote the value down, so that it could be another."""
        return self.kind != "computed"

    @property
    def counts_instead(self) -> str:
        """The file whose entry counts in the place of this one, which nobody reads; "" where a default does."""
        return next((file for file, _, told in self.stations if told.endswith(COUNTS)), "")
