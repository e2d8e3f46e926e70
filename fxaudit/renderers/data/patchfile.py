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
        RenderingError: No fix was seen to work, or it belongs into a notebook's cell.
    """
    together = report.patch
    tried = [f.patch for f in report.findings if f.patch is not None and f.patch.state == "tried"]
    if together is not None and together.state == "tried":
        return _of_files(together.diff)
    if tried:
        return _of_files(tried[0].diff)
    raise RenderingError(f"There is no patch to write: {_why(report)}.")


def _of_files(diff: str) -> str:
    """The parts of a diff that are about files, and not about a notebook's cells."""
    parts = [f"--- a/{part}" for part in f"\n{diff}".split("\n--- a/")[1:]]
    kept = [part for part in parts if not part.startswith("--- a/Cell In[")]
    if parts and not kept:
        cell = parts[0].partition("\n")[0].removeprefix("--- a/")
        raise RenderingError(f"There is no patch to write: the edit is one of {cell}, which is no file.")
    return diff if len(kept) == len(parts) else "\n".join(kept)


def _why(report: Answer) -> str:
    if not report.findings:
        return "nothing was found that needs one"
    if all(finding.patch is None for finding in report.findings):
        return "no fix was tried (`fxaudit run --fix` tries them), or none is known"
    return "no fix was seen to work"
