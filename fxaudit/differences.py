"""What changed between two reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fxaudit.report import Report, Verdict

__all__ = ["Difference", "VerdictChange", "difference"]

_GOOD = ("trained", "frozen")


@dataclass(frozen=True, slots=True)
class VerdictChange:
    """A parameter whose verdict is not the same; None where one of the reports does not list it."""

    name: str
    before: Verdict | None
    after: Verdict | None

    @property
    def worse(self) -> bool:
        """Whether a parameter that was fine, or not there, is now listed with a verdict that is not fine."""
        return self.after is not None and self.after not in _GOOD and self.before in (None, *_GOOD)


@dataclass(frozen=True, slots=True)
class Difference:
    """The verdicts that differ, and the causes (code and line) that are gone or new."""

    changes: tuple[VerdictChange, ...]
    fixed: tuple[str, ...]
    introduced: tuple[str, ...]

    @property
    def worse(self) -> bool:
        """Whether any parameter got worse or a new cause above note appeared."""
        return bool(self.introduced) or any(change.worse for change in self.changes)

    def __str__(self) -> str:
        lines = [f"{change.name}: {change.before or 'absent'} -> {change.after or 'absent'}" for change in self.changes]
        lines += [f"fixed: {cause}" for cause in self.fixed]
        lines += [f"new: {cause}" for cause in self.introduced]
        return "\n".join(lines) if lines else "No verdict and no cause changed."


def difference(old: Report, new: Report) -> Difference:
    """What changed from `old` to `new`."""
    changes = []
    for name in dict.fromkeys([*old.parameters, *new.parameters]):
        before = old.parameters[name].verdict if name in old.parameters else None
        after = new.parameters[name].verdict if name in new.parameters else None
        if before != after:
            changes.append(VerdictChange(name, before, after))
    was, now = _causes(old), _causes(new)
    return Difference(
        tuple(changes),
        tuple(text for key, text in was.items() if key not in now),
        tuple(text for key, text in now.items() if key not in was),
    )


def _causes(report: Report) -> dict[tuple[str, str, str], str]:
    """The causes above note, keyed by code, file and the text of the line (so that moved lines stay the same)."""
    found = {}
    for finding in report.findings:
        if finding.level == "note":
            continue
        where = finding.culprit
        key = (finding.code, where.file if where else "", where.code if where else finding.message)
        found[key] = f"{finding.code} {finding.message}" + (f" ({where})" if where else "")
    return found
