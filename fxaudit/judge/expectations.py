"""What a user expects of parameters, by patterns of their names."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Collection, Iterable

from fxaudit.errors import InvalidExpectationError

__all__ = ["check_patterns"]


def check_patterns(patterns: Iterable[str], names: Collection[str]) -> None:
    """Refuse a pattern that matches no parameter: its expectation would be met by everything.

    Raises:
        InvalidExpectationError: A pattern matches none of `names`; the message lists near names.
    """
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(name, pattern) for name in names):
            near = difflib.get_close_matches(pattern.rstrip("*."), list(names), n=3, cutoff=0.5) or list(names)[:5]
            more = ", …" if len(names) > len(near) else ""
            known = f"There are: {', '.join(near)}{more}." if names else "There is no parameter at all."
            raise InvalidExpectationError(f"The `expect` pattern {pattern!r} matches no parameter. {known}")
