"""fxaudit: why aren't my parameters updating?

Audits a PyTorch model, its loss and its optimizers, and names every parameter that training will not change, with the
verdict, the cause and the line to blame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fxaudit._version import __version__

if TYPE_CHECKING:
    from fxaudit.finding import Finding
    from fxaudit.pipeline import audit, explain, watch, why
    from fxaudit.report import ParameterReport, Report
    from fxaudit.rule import Rule
    from fxaudit.rules import RULES

__all__ = [
    "RULES",
    "Finding",
    "ParameterReport",
    "Report",
    "Rule",
    "__version__",
    "audit",
    "explain",
    "watch",
    "why",
]

_HOMES = {
    "audit": "fxaudit.pipeline",
    "explain": "fxaudit.pipeline",
    "watch": "fxaudit.pipeline",
    "why": "fxaudit.pipeline",
    "Report": "fxaudit.report",
    "ParameterReport": "fxaudit.report",
    "Finding": "fxaudit.finding",
    "Rule": "fxaudit.rule",
    "RULES": "fxaudit.rules",
}


def __getattr__(name: str) -> object:
    """Import what is asked for: a saved report must load without torch, and `import fxaudit` must cost next to
    nothing."""
    from importlib import import_module

    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'fxaudit' has no attribute {name!r}")
    return getattr(import_module(home), name)
