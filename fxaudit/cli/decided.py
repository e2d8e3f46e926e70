"""What of a report counts, after all that was decided about it: options, settings, comments and the baseline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fxaudit.answer.leaving_out import Baseline, comment_on, without
from fxaudit.cli.configuration import codes_of
from fxaudit.errors import InvalidBaselineError, InvalidOptionError

if TYPE_CHECKING:
    from fxaudit.answer.finding import Finding
    from fxaudit.report import Report

__all__ = ["decided", "read_baseline"]


def decided(
    report: Report, ignore: Mapping[str, str], baseline: Baseline | None, *, updates: bool, target: str = ""
) -> tuple[Report, Baseline | None, list[str]]:
    """What is left of the report, the baseline as it is now, and what is wrong with comments in the program.

    Args:
        report: The report of one target.
        ignore: Code of a rule → why its findings are left out; an empty reason where an option says so.
        baseline: What was known; None where there is no baseline.
        updates: Whether what is found becomes what is known.
        target: What the baseline knows the report by; its title where it is left out.
    """
    notes: list[str] = []
    problems: list[str] = []
    by_rule = {id(f): ignore[f.code] for f in report.findings if f.code in ignore}
    notes += _told(report, by_rule, "left out by rule")
    report = without(report, {key: reason or "by --ignore" for key, reason in by_rule.items()}, "rule")
    by_comment = {id(f): reason for f in report.findings if (reason := _by_comment(f, problems)) is not None}
    notes += _told(report, by_comment, "left out by a comment")
    report = without(report, by_comment, "comment")
    if baseline is not None and updates:
        baseline = baseline.with_report(report, target)
    if baseline is not None:
        known, gone = baseline.known(report, target), baseline.gone(report, target)
        report = without(report, dict.fromkeys(known, "the baseline knows of it"), "baseline")
        if known:
            notes.append(f"{_counted(len(known), 'finding')} left out: the baseline knows of {_them(len(known))}.")
        if gone:
            found = f"{_counted(gone, 'finding')} of the baseline found no more"
            notes.append(f"{found}; --update-baseline forgets {_them(gone)}.")
    return replace(report, notes=(*report.notes, *notes)), baseline, problems


def read_baseline(path: Path, *, updates: bool) -> Baseline:
    """The baseline in the file; an empty one where it is about to be written for the first time.

    Raises:
        InvalidBaselineError: The file cannot be read, or is no baseline.
    """
    if updates and not path.exists():
        return Baseline({})
    try:
        return Baseline.read(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InvalidBaselineError(
            f"The baseline {str(path)!r} cannot be read: {reason}. --update-baseline writes it."
        ) from error
    except InvalidBaselineError as error:
        raise InvalidBaselineError(f"The baseline {str(path)!r} cannot be used: {error}.") from None


def _by_comment(finding: Finding, problems: list[str]) -> str | None:
    """The reason that the comment on the finding's line gives for leaving it out; None where it does not."""
    comment = comment_on(finding)
    if comment is None:
        return None
    example = f"`# fxaudit: ignore[{finding.code}] why it does not matter`"
    if not comment.codes or not comment.reason:
        missing = "no code" if not comment.codes else "no reason"
        problems.append(f"{finding.culprit}: the comment has {missing}. Expected: {example}.")
        return None
    codes: set[str] = set()
    for code in comment.codes:
        try:
            codes |= codes_of(code)
        except InvalidOptionError as error:
            problems.append(f"{finding.culprit}: {error}")
    return comment.reason if finding.code in codes else None


def _told(report: Report, reasons: Mapping[int, str], how: str) -> list[str]:
    """One sentence for each rule and reason, so that nothing is left out in silence."""
    counted = Counter((f.code, f.name, reasons[id(f)]) for f in report.findings if id(f) in reasons)
    return [
        f"{_counted(count, 'finding')} of {code} {name} {how}" + (f": {reason.rstrip('.')}." if reason else ".")
        for (code, name, reason), count in counted.items()
    ]


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def _them(count: int) -> str:
    return "it" if count == 1 else "them"
