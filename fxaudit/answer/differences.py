"""What changed between two reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fxaudit.answer.folding import Universe, folds

if TYPE_CHECKING:
    from fxaudit.answer.answer import Answer, Verdict
    from fxaudit.answer.finding import Finding

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
    """The verdicts that differ, and the causes (code and line) that are gone or new.

    `causes` maps the changes' parameters to what explains the change: an entry of `fixed` or `introduced`.
    """

    changes: tuple[VerdictChange, ...]
    fixed: tuple[str, ...]
    introduced: tuple[str, ...]
    causes: Mapping[str, str] = field(default_factory=dict)
    universe: tuple[str, ...] = ()

    @property
    def worse(self) -> bool:
        """Whether any parameter got worse or a new cause above note appeared."""
        return bool(self.introduced) or any(change.worse for change in self.changes)

    def __str__(self) -> str:
        lines = self._of("")
        for heading, causes in (("fixed", self.fixed), ("new", self.introduced)):
            for cause in causes:
                lines += [f"{heading}: {cause}", *(f"  {line}" for line in self._of(cause))]
        return "\n".join(lines) if lines else "No verdict and no cause changed."

    def _of(self, cause: str) -> list[str]:
        """The changes that `cause` explains, the names folded: `encoder.*: trained -> unreachable (4 parameters)`."""
        alike: dict[tuple[str, str], list[str]] = {}
        for change in self.changes:
            if self.causes.get(change.name, "") == cause:
                alike.setdefault((change.before or "absent", change.after or "absent"), []).append(change.name)
        universe = Universe.of(self.universe) if alike else None
        return [
            f"{fold.pattern}: {before} -> {after}" + (f" ({len(fold.names)} parameters)" if len(fold.names) > 1 else "")
            for (before, after), names in alike.items()
            for fold in folds(names, universe or names)
        ]


def difference(old: Answer, new: Answer) -> Difference:
    """What changed from `old` to `new`."""
    changes = []
    names = tuple(dict.fromkeys([*old.parameters, *new.parameters]))
    for name in names:
        before = old.parameters[name].verdict if name in old.parameters else None
        after = new.parameters[name].verdict if name in new.parameters else None
        if before != after:
            changes.append(VerdictChange(name, before, after))
    was, now = _causes(old), _causes(new)
    gone = {key: finding for key, finding in was.items() if key not in now}
    came = {key: finding for key, finding in now.items() if key not in was}
    return Difference(
        tuple(changes),
        tuple(map(_text, gone.values())),
        tuple(map(_text, came.values())),
        {name: _text(finding) for finding in (*gone.values(), *came.values()) for name in finding.parameters},
        names,
    )


def _causes(report: Answer) -> dict[tuple[str, str, str], Finding]:
    """The causes above note, keyed by code, file and the text of the line (so that moved lines stay the same)."""
    found = {}
    for finding in report.findings:
        if finding.level != "note":
            where = finding.culprit
            found[finding.code, where.file if where else "", where.code if where else finding.message] = finding
    return found


def _text(finding: Finding) -> str:
    return f"{finding.code} {finding.message}" + (f" ({finding.culprit})" if finding.culprit else "")
