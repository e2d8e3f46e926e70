"""The exceptions fxaudit raises when it is misused.

A defect in the user's program is a finding, never an exception. What cannot be known is the verdict `unknown`.
"""

__all__ = [
    "FxauditError",
    "GraphTooDeepError",
    "InvalidBaselineError",
    "InvalidExpectationError",
    "InvalidInputsError",
    "InvalidLossError",
    "InvalidModelError",
    "InvalidOptimizerError",
    "InvalidOptionError",
    "InvalidReportError",
    "InvalidTargetError",
    "MissingLibraryError",
    "PictureError",
    "RenderingError",
    "UnknownFormatError",
    "UnknownLossError",
    "UnknownParameterError",
    "UnknownRuleError",
    "UnwritableOutputError",
]


class FxauditError(Exception):
    """Base of everything fxaudit raises on purpose."""


class InvalidModelError(FxauditError, TypeError):
    """The model is no module, holds no parameter, or is otherwise nothing that can be audited."""


class InvalidLossError(FxauditError, TypeError):
    """The loss is neither a scalar tensor nor a callable that returns one."""


class InvalidInputsError(FxauditError, TypeError):
    """Inputs or concrete arguments that the forward cannot be traced with."""


class InvalidOptimizerError(FxauditError, TypeError):
    """The optimizer lacks `param_groups` or `step`."""


class GraphTooDeepError(FxauditError, RecursionError):
    """The autograd graph cannot be walked in this thread: freeing it afterwards would end the process."""


class InvalidExpectationError(FxauditError, ValueError):
    """An `expect` pattern names no verdict, or matches no parameter."""


class InvalidTargetError(FxauditError, ValueError):
    """A script, module or `file.py:callable` target that cannot be found or used."""


class InvalidReportError(FxauditError, ValueError):
    """A file that is not a saved fxaudit report, or one of an unsupported schema version."""


class InvalidRecordingError(FxauditError, ValueError):
    """A file that is not a recording, or one of another version."""


class InvalidBaselineError(FxauditError, ValueError):
    """A file that is no baseline, or one of another version."""


class InvalidOptionError(FxauditError, ValueError):
    """An option of an integration or of the configuration that has no such name or no such value."""


class MissingLibraryError(FxauditError, ImportError):
    """The library that fxaudit is to be at home in is not installed."""


class UnknownRuleError(FxauditError, KeyError):
    """A rule code that does not exist."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class UnknownParameterError(FxauditError, KeyError):
    """A parameter name that the report does not list."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class UnknownLossError(FxauditError, KeyError):
    """A loss that the report does not know."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class UnknownFormatError(FxauditError, ValueError):
    """An output suffix or format that no renderer writes."""


class UnwritableOutputError(FxauditError, OSError):
    """An output path that cannot be written; nothing was left half written."""


class RenderingError(FxauditError, RuntimeError):
    """A form of the report that fxaudit failed to make; the report itself is whole."""


class PictureError(FxauditError, RuntimeError):
    """A picture that the available Graphviz cannot draw."""
