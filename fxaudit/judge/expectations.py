"""What a user expects of parameters, by patterns of their names."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Collection, Iterable, Mapping

from fxaudit.errors import InvalidExpectationError

__all__ = ["check_patterns", "expected_of"]


def check_patterns(patterns: Iterable[str], names: Collection[str]) -> None:
    """Refuse a pattern that matches no parameter: its expectation would be met by everything.

    Raises:
        InvalidExpectationError: A pattern matches none of `names`; the message lists near names.
    """
    for pattern in patterns:
        if pattern not in names and not any(fnmatch.fnmatchcase(name, pattern) for name in names):
            near = difflib.get_close_matches(pattern.rstrip("*."), list(names), n=3, cutoff=0.5) or list(names)[:5]
            more = ", …" if len(names) > len(near) else ""
            known = f"There are: {', '.join(near)}{more}." if names else "There is no parameter at all."
            raise InvalidExpectationError(f"The `expect` pattern {pattern!r} matches no parameter. {known}")


def expected_of(expect: Mapping[str, str], names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Of each name that is spoken of, the pattern that decides, which is the first that fits, and its verdict.

    Example:
        >>> expected_of({"head.*": "trained", "*": "frozen"}, ["head.bias", "stem.bias"])
        {'head.bias': ('head.*', 'trained'), 'stem.bias': ('*', 'frozen')}
    """
    found = {}
    for name in names:
        pattern = next((pattern for pattern in expect if fnmatch.fnmatchcase(name, pattern)), None)
        if pattern is not None:
            found[name] = (pattern, expect[pattern])
    return found
