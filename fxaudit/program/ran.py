"""Which lines of a program ran, and whether that is all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = ["Ran", "RanLines"]


class RanLines(set[int]):
    """The lines of one file that ran. Where it `is_whole`, no other line did; `nothing_raised` says that no check on
    the way refused what it saw."""

    def __init__(self, lines: Iterable[int] = (), *, is_whole: bool = False, nothing_raised: bool = False) -> None:
        super().__init__(lines)
        self.is_whole = is_whole
        self.nothing_raised = nothing_raised

    def certainly_not(self, line: int) -> bool:
        """Whether `line` is known not to have run."""
        return self.is_whole and line not in self


class Ran:
    """The lines that ran, file by file."""

    def __init__(
        self, lines: Mapping[str, Iterable[int]], *, is_whole: bool = False, nothing_raised: bool = False
    ) -> None:
        self._none = RanLines(is_whole=is_whole, nothing_raised=nothing_raised)
        self._files = {
            file: RanLines(found, is_whole=is_whole, nothing_raised=nothing_raised) for file, found in lines.items()
        }

    def of(self, file: str) -> RanLines:
        """The lines of `file` that ran."""
        return self._files.get(file, self._none)
