"""Findings that somebody has decided about already: by a comment on the line, by rule, or by a baseline."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from fxaudit.answer.answer import Answer
from fxaudit.answer.finding import Decision, Finding, Suppressed
from fxaudit.answer.summary import LEFT_OUT
from fxaudit.errors import InvalidBaselineError

__all__ = ["BASELINE_VERSION", "Baseline", "Comment", "comment_on", "fingerprint", "without"]

Form = TypeVar("Form", bound=Answer)

BASELINE_VERSION = 1

_COMMENT = re.compile(r"#\s*fxaudit:\s*ignore\b(?P<codes>\s*\[[^\]]*\])?(?P<reason>[^#]*)")


def without(report: Form, reasons: Mapping[int, str], by: Decision) -> Form:
    """`report` without the findings of these `id`s; the verdicts stay, and say why nothing is found any more.

    Args:
        report: The report.
        reasons: The `id` of a finding → why it is left out.
        by: Where that was decided.
    """
    dropped = [(finding, reasons[id(finding)]) for finding in report.findings if id(finding) in reasons]
    if not dropped:
        return report
    why = {name: reason for finding, reason in dropped for name in finding.parameters}
    gone = [finding for finding, _ in dropped]

    def kept(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        return tuple(one for one in findings if id(one) not in reasons and one not in gone)

    parameters = {}
    for parameter in report:
        left = replace(parameter, findings=kept(parameter.findings))
        if parameter.name in why and not left.findings:
            left = replace(left, reason=f"{LEFT_OUT}: {why[parameter.name]}")
        parameters[parameter.name] = left
    suppressed = (*report.suppressed, *(Suppressed(finding, by, reason) for finding, reason in dropped))
    return replace(report, findings=kept(report.findings), parameters=parameters, suppressed=suppressed)


@dataclass(frozen=True, slots=True)
class Comment:
    """`# fxaudit: ignore[CODE, …] reason` on a line; `codes` and `reason` are empty where they were left out."""

    codes: tuple[str, ...]
    reason: str


def comment_on(finding: Finding) -> Comment | None:
    """The comment on the culprit's line, if there is one.

    Example:
        >>> from fxaudit.program.source import SourceLine
        >>> line = SourceLine("a.py", 1, "f", "x = x.detach()  # fxaudit: ignore[FXA104] a probe")
        >>> comment_on(Finding("FXA104", "detached-path", "error", "", "", culprit=line))
        Comment(codes=('FXA104',), reason='a probe')
    """
    source = finding.culprit
    if source is None:
        return None
    text = next((text for number, text in source.context if number == source.line), source.code)
    found = _COMMENT.search(text)
    if found is None:
        return None
    codes = (found["codes"] or "").strip().strip("[]").split(",")
    return Comment(tuple(code.strip() for code in codes if code.strip()), found["reason"].strip(" :-–—"))


def fingerprint(finding: Finding) -> str:
    """What stays the same of a cause when lines move: its rule, the file, the function and the text of the line.

    Where no line is known, the parameters stand for it.
    """
    source = finding.culprit
    if source is None:
        place = sorted(finding.parameters)
    else:
        place = [source.file, source.function, " ".join(source.code.partition("  #")[0].split())]
    return hashlib.sha256("\n".join([finding.code, *place]).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Baseline:
    """The causes that were known when it was written, for each target: fingerprint → (how many, what it said)."""

    targets: Mapping[str, Mapping[str, tuple[int, str]]]

    @classmethod
    def read(cls, text: str) -> Baseline:
        """The baseline that `write` made.

        Raises:
            InvalidBaselineError: The text is none, or one of another version.
        """
        try:
            data = json.loads(text)
            version = data["baseline_version"]
            if version != BASELINE_VERSION:
                raise InvalidBaselineError(
                    f"it is of version {version!r}, and this fxaudit reads version {BASELINE_VERSION}. "
                    "Write it anew with --update-baseline"
                )
            return cls(
                {
                    str(target): {entry["fingerprint"]: (int(entry["count"]), str(entry["what"])) for entry in entries}
                    for target, entries in data["targets"].items()
                }
            )
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            if isinstance(error, InvalidBaselineError):
                raise
            raise InvalidBaselineError("it is no baseline. Write one with --update-baseline") from error

    def write(self) -> str:
        """The baseline as text: sorted, so that it can be kept with the program and compared."""
        targets = {
            target: [
                {"fingerprint": key, "count": count, "what": what} for key, (count, what) in sorted(entries.items())
            ]
            for target, entries in sorted(self.targets.items())
        }
        return (
            json.dumps({"baseline_version": BASELINE_VERSION, "targets": targets}, indent=2, ensure_ascii=False) + "\n"
        )

    def with_report(self, report: Answer, target: str = "") -> Baseline:
        """This baseline, with what is found now in the place of what was known of the same target."""
        counts = Counter(fingerprint(finding) for finding in report.findings)
        what = {fingerprint(finding): _what(finding) for finding in report.findings}
        targets = {**self.targets, target or report.title: {key: (count, what[key]) for key, count in counts.items()}}
        return Baseline({target: entries for target, entries in targets.items() if entries})

    def known(self, report: Answer, target: str = "") -> frozenset[int]:
        """The `id` of each finding of the report that was known."""
        left = {key: count for key, (count, _) in self.targets.get(target or report.title, {}).items()}
        found = set()
        for finding in report.findings:
            key = fingerprint(finding)
            if left.get(key, 0) > 0:
                left[key] -= 1
                found.add(id(finding))
        return frozenset(found)

    def gone(self, report: Answer, target: str = "") -> int:
        """How many causes were known that the report does not have any more."""
        now = Counter(fingerprint(finding) for finding in report.findings)
        known = self.targets.get(target or report.title, {})
        return sum(max(0, count - now.get(key, 0)) for key, (count, _) in known.items())


def _what(finding: Finding) -> str:
    return f"{finding.code} {finding.message}" + (f" ({finding.culprit.file})" if finding.culprit else "")
