"""Several reports as one: of several targets of one command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from fxaudit.answer.answer import Answer, Holder, ParameterReport
from fxaudit.answer.finding import Finding, PathStep

__all__ = ["together"]

Form = TypeVar("Form", bound=Answer)


def together(reports: Mapping[str, Form], empty: Form) -> Form:
    """One report of all `reports`; the names of parameters begin with their target's. `empty` is one without anything.

    The steps and the graph of each are left out: those of different programs make no sense side by side.
    """
    labels = _labels(list(reports))
    parts = [_prefixed(report, f"{label}.") for label, report in zip(labels, reports.values(), strict=True)]
    rules = {rule.code: rule for part in parts for rule in part.rules}
    return replace(
        empty,
        parameters={name: parameter for part in parts for name, parameter in part.parameters.items()},
        findings=tuple(finding for part in parts for finding in part.findings),
        suppressed=tuple(suppressed for part in parts for suppressed in part.suppressed),
        optimizers=tuple(optimizer for part in parts for optimizer in part.optimizers),
        rules=tuple(rules[code] for code in sorted(rules)),
        environment=next((part.environment for part in parts), {}),
        notes=tuple(f"{target}: {note}" for target, report in reports.items() for note in report.notes),
        title=_listed(list(reports)),
        audited=all(part.audited for part in parts),
    )


def _labels(targets: Sequence[str]) -> list[str]:
    """What stands for each target in names, where a dot parts modules.

    Example:
        >>> _labels(["train.py:make", "package.models:make", "train:make"])
        ['train:make', 'package/models:make', 'train:make#2']
    """
    found: list[str] = []
    for target in targets:
        place, colon, name = target.rpartition(":")
        label = f"{place.removesuffix('.py')}{colon}{name}".replace(".", "/")
        taken = sum(one.partition("#")[0] == label for one in found)
        found.append(f"{label}#{taken + 1}" if taken else label)
    return found


def _listed(names: Sequence[str]) -> str:
    shown = list(names) if len(names) <= 3 else [*names[:2], f"{len(names) - 2} more"]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _prefixed(report: Form, prefix: str) -> Form:
    """The report with all names of parameters and optimizers under `prefix`."""
    found: dict[int, Finding] = {id(finding): _finding(finding, prefix) for finding in report.findings}

    def parameter(known: ParameterReport) -> ParameterReport:
        return replace(
            known,
            name=prefix + known.name,
            held_by=tuple(Holder(prefix + holder.optimizer, holder.group) for holder in known.held_by),
            findings=tuple(found.get(id(one)) or _finding(one, prefix) for one in known.findings),
            path=_path(known.path, known.name, prefix),
        )

    return replace(
        report,
        parameters={prefix + known.name: parameter(known) for known in report},
        findings=tuple(found[id(finding)] for finding in report.findings),
        suppressed=tuple(replace(one, finding=_finding(one.finding, prefix)) for one in report.suppressed),
        optimizers=tuple(
            replace(
                optimizer,
                name=prefix + optimizer.name,
                groups=tuple((rate, tuple(prefix + name for name in names)) for rate, names in optimizer.groups),
            )
            for optimizer in report.optimizers
        ),
    )


def _finding(finding: Finding, prefix: str) -> Finding:
    return replace(
        finding,
        parameters=tuple(prefix + name for name in finding.parameters),
        restored=tuple(prefix + name for name in finding.restored),
        path=_path(finding.path, finding.parameters[0] if finding.parameters else "", prefix),
    )


def _path(path: tuple[PathStep, ...], name: str, prefix: str) -> tuple[PathStep, ...]:
    return tuple(
        replace(step, label=prefix + name) if step.kind == "parameter" and step.label == name else step for step in path
    )
