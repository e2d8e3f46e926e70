"""Whose expectations go before whose: the command line's, the target's own, the project's."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from fxaudit.cli.configuration import Settings

__all__ = ["expect", "others"]


def others(ours: Mapping[str, str], theirs: Mapping[str, str]) -> dict[str, str]:
    """Those of our expectations that theirs do not speak of."""
    return {pattern: verdict for pattern, verdict in ours.items() if pattern not in theirs}


def expect(arguments: dict[str, object], expectations: Mapping[str, str], known: Settings) -> None:
    """Have `audit` expect what the command line says, then what the target says, then those of the project's patterns
    that mean something in this model."""
    given: Any = arguments.get("expect") or {}
    if not callable(given) and not known.expect:
        if given or expectations:
            arguments["expect"] = {**expectations, **others(given, expectations)}
        return

    def of_models(named: Any) -> dict[str, str]:
        theirs = {**expectations, **others(given(named) if callable(given) else given, expectations)}
        prefixes = [(f"{name}." if name and len(named) > 1 else "", model) for name, model in named]
        names = [prefix + name for prefix, model in prefixes for name, _ in model.named_parameters()]
        ours = {pattern: v for pattern, v in known.expect.items() if any(fnmatchcase(name, pattern) for name in names)}
        return {**theirs, **others(ours, theirs)}

    arguments["expect"] = of_models
