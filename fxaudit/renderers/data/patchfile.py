"""The tried patch as a unified diff, which `git apply` takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fxaudit.errors import RenderingError

if TYPE_CHECKING:
    from fxaudit.answer.answer import Answer

__all__ = ["render"]


def render(report: Answer) -> str:
    """The diff that mends all that can be mended together, else that of the first finding that has one.

    Raises:
        RenderingError: No fix was seen to work.
    """
    together = report.patch
    tried = [f.patch for f in report.findings if f.patch is not None and f.patch.state == "tried"]
    if together is not None and together.state == "tried":
        return together.diff
    if tried:
        return tried[0].diff
    raise RenderingError(f"There is no patch to write: {_why(report)}.")


def _why(report: Answer) -> str:
    if not report.findings:
        return "nothing was found that needs one"
    if all(finding.patch is None for finding in report.findings):
        return "no fix was tried (`fxaudit run --fix` tries them), or none is known"
    return "no fix was seen to work"
