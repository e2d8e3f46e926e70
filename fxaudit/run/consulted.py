"""Beside a run, the symbolic trace of the structure is asked about what the run did not use.

A parameter that no recorded step used may be one that another batch or another argument would use, or one that nothing
in forward ever uses. The trace runs in a forked copy: it calls the forward of the user, and nothing of that may stay.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from torch import nn

from fxaudit.answer.answer import SETTLED, Answer, SymbolicReport
from fxaudit.answer.finding import Finding, Related
from fxaudit.program.source import SourceLine, actual_path
from fxaudit.run.copy import can_fork, in_copy

if TYPE_CHECKING:
    from fxaudit.capture.symbolic.trace import SymbolicTrace

__all__ = ["with_structure"]

UNUSED = ("FXA101", "FXA102")
"""The rules about modules that are never called, and parameters that are never read."""
MAX_MODULES = 2_000
SECONDS = 10.0


def with_structure(answer: Answer, named: Sequence[tuple[str, nn.Module]]) -> Answer:
    """The answer with what the structure says of parameters that no recorded step used.

    Args:
        answer: What the run said. It is returned with `symbolic` filled in, and otherwise as it is where nothing is
            left open, where the process cannot be copied, and where the trace takes longer than ten seconds.
        named: The models with the prefixes of their parameters' names. Nothing of them changes.
    """
    open_findings = [finding for finding in answer.findings if finding.code in UNUSED and finding.parameters]
    if not open_findings:
        return replace(answer, symbolic=SymbolicReport("skipped", SETTLED))
    wanted = {name for finding in open_findings for name in finding.parameters}
    asked = [(prefix, module) for prefix, module in named if any(name.startswith(prefix) for name in wanted)]
    count = sum(1 for _, module in asked for _ in module.modules())
    if count > MAX_MODULES:
        why = f"a model of {count:,} modules is not traced beside a run; `fxaudit.audit(model)` traces it"
    elif not can_fork():
        why = "the process cannot be copied, and the trace would call the forward here"
    else:
        text, why = in_copy(lambda: json.dumps([_told(prefix, module, wanted) for prefix, module in asked]), SECONDS)
        if text is not None:
            return _with(answer, json.loads(text))
    return replace(answer, symbolic=SymbolicReport("skipped", why or f"it took longer than {SECONDS:.0f} seconds"))


def _told(prefix: str, module: nn.Module, wanted: set[str]) -> dict[str, Any]:
    """In the copy: how far the trace came, and for each wanted parameter that it uses the line that does."""
    # Only where something is left open: without it a first audit is quicker.
    from fxaudit.capture.symbolic.trace import trace
    from fxaudit.run.structure import without_recording

    with without_recording():
        found = trace(module)
    uses = {name: _plain(use) for name, use in _uses(found, prefix, wanted)}
    return {"status": found.status, "reason": found.reason, "source": _plain(found.source), "uses": uses}


def _uses(found: SymbolicTrace, prefix: str, wanted: set[str]) -> Iterator[tuple[str, SourceLine | None]]:
    flow = found.flow()
    by_slot: dict[str | None, list[int]] = {}
    for op in found.ops:
        if op.kind == "parameter":
            by_slot.setdefault(op.slot, []).append(op.index)
    for name in sorted(wanted):
        local = name.removeprefix(prefix)
        read = by_slot.get(found.aliases.get(local, local), [])
        if not flow.carrying.isdisjoint(read):
            users = sorted(user for index in read for user in flow.made_of(index))
            yield name, next((source for user in users if (source := found.ops[user].source)), None)


def _plain(line: SourceLine | None) -> list[Any] | None:
    return [actual_path(line.file), line.line, line.function] if line is not None else None


def _line(plain: list[Any] | None) -> SourceLine | None:
    return SourceLine.at(*plain) if plain is not None else None


def _with(answer: Answer, told: Sequence[Mapping[str, Any]]) -> Answer:
    """What the copy told, at the findings that it concerns."""
    stopped = next((one for one in told if one["status"] == "stopped"), None)
    status = SymbolicReport("traced")
    if stopped is not None:
        status = SymbolicReport("stopped", stopped["reason"], _line(stopped["source"]))
    uses = {name: _line(plain) for one in told for name, plain in one["uses"].items()}
    changed = {id(finding): _with_use(finding, uses) for finding in answer.findings}
    parameters = {
        name: replace(known, findings=tuple(changed.get(id(each), _with_use(each, uses)) for each in known.findings))
        for name, known in answer.parameters.items()
    }
    findings = tuple(changed[id(finding)] for finding in answer.findings)
    return replace(answer, symbolic=status, findings=findings, parameters=parameters)


def _with_use(finding: Finding, uses: Mapping[str, SourceLine | None]) -> Finding:
    """The finding with the line on another way through forward that uses what no recorded step used."""
    if finding.code not in UNUSED:
        return finding
    line = next((uses[name] for name in finding.parameters if uses.get(name) is not None), None)
    known = [finding.culprit, *(related.source for related in finding.related)]
    if line is None or any(each is not None and (each.file, each.line) == (line.file, line.line) for each in known):
        return finding
    return replace(finding, related=(*finding.related, Related(line, "another way through forward uses it here")))
