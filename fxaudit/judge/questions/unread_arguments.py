"""An argument that a module is given and never reads. Shared by the rules on values that nobody uses."""

from __future__ import annotations

from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.program.handing import inner_calls, passing, reads_argument
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import binding_of

__all__ = ["not_passed_on"]


def not_passed_on(audit: Audit, stack: int) -> list[tuple[SourceLine, str]]:
    """Where the value bound in the frame `stack` is given to a module whose `forward` never reads that argument.

    (line, role) pairs: first the call inside that `forward` to which it was to be handed on, if one takes an argument
    of the same name and does not get it; last the call that gives it.
    """
    stacks = audit.record.stacks
    file, line = stacks.file(stack), stacks.line(stack)
    for where, position, keyword in passing(file, line, binding_of(file, line).names):
        forward = _forward_called_at(audit, file, where)
        if forward is None:
            continue
        code, names = forward
        name = keyword or (names[position] if 0 <= position < len(names) else "")
        if not name or reads_argument(code[0], code[1], name) is not False:
            continue
        given = (source_at(file, where), f"given here as `{name}`, which `forward` never reads")
        for inner, keywords in inner_calls(*code):
            taker = _forward_called_at(audit, code[0], inner)
            if taker is not None and name in taker[1] and not keywords & {name, "**"}:
                return [(source_at(code[0], inner), f"`{name}` is not handed on here"), given]
        return [given]
    return []


def _forward_called_at(audit: Audit, file: str, line: int) -> tuple[tuple[str, int], list[str]] | None:
    """The `forward` of the module called at a line: ((its file, its line), the names of its arguments)."""
    record = audit.record
    for call in record.calls:
        if record.stacks.line(call.stack) == line and record.stacks.file(call.stack) == file:
            module = audit.recording.modules[call.module]
            kind = audit.recording.class_of(module) if module.is_alive else None
            if kind is None or kind.forward is None:
                return None
            return (kind.forward.file, kind.forward.line), list(kind.arguments)
    return None
