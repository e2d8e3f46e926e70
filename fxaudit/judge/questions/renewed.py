"""A module that took the place of another one, which is still called from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack, user_place
from fxaudit.program.source import SourceLine

__all__ = ["FIX", "Renewed", "renewed"]

FIX = "Put the new module in the other places of the old one, too."


@dataclass(frozen=True, slots=True)
class Renewed:
    """The line that put a new module in one place, the line that had put the old one there, and what that is now."""

    line: SourceLine
    former: SourceLine | None
    still: str


def renewed(audit: Audit, root: int, path: str) -> Renewed | None:
    """Who put the module at `path` in the place of one of its kind that has another place, too, and is called there."""
    modules = audit.recording.paths(audit.recording.modules[root])
    owner, new = modules.get(path.rpartition(".")[0]), modules.get(path)
    if owner is None or new is None:
        return None
    entries = [e for e in owner.attributes.get(path.rpartition(".")[2], ()) if e[2] == "module"]
    line = audit.source(project_stack(audit.record.stacks, entries[-1][1])) if len(entries) > 1 else None
    if line is None:
        return None
    for time, stack, _ in entries[:-1]:
        former = user_place(audit.record.stacks, stack)
        beside = _put_there(audit, former)
        for old in audit.recording.modules:
            made_there = old.created_time <= time and user_place(audit.record.stacks, old.created) == former
            if made_there and old.type == new.type and old.calls and old.index not in {new.index, *beside}:
                still = next((f"`{name}`" for name, other in modules.items() if other is old), "a part of no module")
                return Renewed(line, audit.source(project_stack(audit.record.stacks, stack)), still)
    return None


def _put_there(audit: Audit, place: tuple[str, int]) -> set[int]:
    """The modules that stand where the line put them: in other slots of the same statement, or in other objects."""
    return {
        child
        for owner in audit.recording.modules
        for name, child in owner.children.items()
        for entry in owner.attributes.get(name, ())[-1:]
        if user_place(audit.record.stacks, entry[1]) == place
    }
