"""Which lines of a program ran, and whether that is all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = ["Ran", "RanLines"]


class RanLines(set[int]):
    """The lines of one file that ran. Where it `is_whole`, no other line did."""

    def __init__(self, lines: Iterable[int] = (), *, is_whole: bool = False) -> None:
        super().__init__(lines)
        self.is_whole = is_whole

    def certainly_not(self, line: int) -> bool:
        """Whether `line` is known not to have run."""
        return self.is_whole and line not in self


class Ran:
    """The lines that ran, file by file."""

    def __init__(self, lines: Mapping[str, Iterable[int]], *, is_whole: bool = False) -> None:
        self._files = {file: RanLines(found, is_whole=is_whole) for file, found in lines.items()}
        self._none = RanLines(is_whole=is_whole)

    def of(self, file: str) -> RanLines:
        """The lines of `file` that ran."""
        return self._files.get(file, self._none)
