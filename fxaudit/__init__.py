"""fxaudit: why aren't my parameters updating?

Audits a PyTorch model, its loss and its optimizers, and names every parameter that training will not change, with the
verdict, the cause and the line to blame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fxaudit._version import __version__

if TYPE_CHECKING:
    from fxaudit.answer.answer import ParameterReport
    from fxaudit.answer.finding import Finding
    from fxaudit.api import assert_trains, audit, trace, watch, why
    from fxaudit.integrations.peft import peft
    from fxaudit.judge.explained import explain
    from fxaudit.judge.rule import Rule
    from fxaudit.judge.rules import RULES
    from fxaudit.report import Report
    from fxaudit.run.traced import Trace

__all__ = [
    "RULES",
    "Finding",
    "ParameterReport",
    "Report",
    "Rule",
    "Trace",
    "__version__",
    "assert_trains",
    "audit",
    "explain",
    "peft",
    "trace",
    "watch",
    "why",
]

NO_TORCH = (
    "It is not installed for this Python. Expected: fxaudit in the environment that the program runs in, or "
    "`pip install torch`."
)
_HOMES = {
    "assert_trains": "fxaudit.api",
    "audit": "fxaudit.api",
    "explain": "fxaudit.judge.explained",
    "load_ipython_extension": "fxaudit.integrations.notebook",
    "peft": "fxaudit.integrations.peft",
    "trace": "fxaudit.api",
    "watch": "fxaudit.api",
    "why": "fxaudit.api",
    "Report": "fxaudit.report",
    "Trace": "fxaudit.run.traced",
    "ParameterReport": "fxaudit.answer.answer",
    "Finding": "fxaudit.answer.finding",
    "Rule": "fxaudit.judge.rule",
    "RULES": "fxaudit.judge.rules",
}


def __getattr__(name: str) -> object:
    """Import what is asked for: a saved report must load without torch, and `import fxaudit` must cost next to
    nothing."""
    from importlib import import_module

    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'fxaudit' has no attribute {name!r}")
    try:
        return getattr(import_module(home), name)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        from fxaudit.errors import MissingLibraryError

        raise MissingLibraryError(f"fxaudit.{name} needs PyTorch. {NO_TORCH}") from error


def __dir__() -> list[str]:
    """The public names, whether or not they have been imported yet."""
    return list(__all__)
