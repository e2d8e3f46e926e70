"""Attempts to unfreeze that unfroze nothing, because what they select is empty."""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass

from fxaudit.judge.questions.injected import asked_for_none, asked_in_vain, of_the_loop
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.program.lookups import Lookups
from fxaudit.program.reached import was_passed
from fxaudit.program.source import SourceLine
from fxaudit.program.thaws import Thaw, asks_for_nothing, begins_at, names_asked_for, thaws_in_loops
from fxaudit.program.tree import Tree
from fxaudit.program.values import sources

__all__ = ["EmptyThaw", "empty_thaws"]

SHOWN = 4
"""So many of the names that are there stand in a message."""


@dataclass(frozen=True, slots=True)
class EmptyThaw:
    """A selection without a member, what it asked for and what there is, and the line that would unfreeze."""

    source: SourceLine
    text: str
    seen: str
    related: tuple[tuple[SourceLine | None, str], ...]
    advice: str = ""
    """What to do; "" where the rule says it."""
    asks_kind: bool = False
    """It asks for a kind of module alone; models of another kind may have none by intent."""


def empty_thaws(audit: Audit) -> list[EmptyThaw]:
    """The thaws that the program came to, and that thawed nothing against what they ask for."""
    files, ran = audit.project_files, audit.record.ran()
    called = audit.record.stacks.lines_seen()  # a thaw leaves a call; that its line was heard may be the loop's head
    lookups = Lookups(audit.record.course)
    idle = [
        (thaw, missed)
        for thaw in thaws_in_loops(files)
        if getattr(thaw.node, "lineno", 0) not in called.get(thaw.tree.file, ())
        and (
            (missed := lookups.of_another_kind(thaw.tree.file, thaw.selection)) is not None
            or was_passed(files, ran, thaw.tree, thaw.loop)
        )
    ]
    is_thawed = any(_was_thawed(track.freezes) for track in audit.record.tracks)
    found = []
    for thaw, missed in idle:
        if not thaw.is_condition and isinstance(thaw.loop, ast.For) and _had_rounds(thaw.loop, ran.of(thaw.tree.file)):
            continue  # something else in it decided
        seen, is_sure = (missed.sentence, True) if missed is not None else _evidence(audit, thaw)
        if seen is None or (is_thawed and not is_sure):
            continue
        listed = _listed(audit, thaw)
        if listed is not None:
            found.append(listed)
            continue
        where = source_at(thaw.tree.file, getattr(thaw.node, "lineno", 0))
        made = [(source_at(tree.file, line), f"`{name}` is made here") for tree, line, name in _made(audit, thaw)]
        role = "would unfreeze it"
        line = source_at(*missed.place) if missed is not None else source_at(thaw.tree.file, thaw.line)
        text = thaw.tree.text(thaw.selection)
        advice = missed.advice if missed is not None else ""
        found.append(EmptyThaw(line, text, seen, (*made[:1], (where, role)), advice, not is_sure and _asks_kind(thaw)))
    return found


def _listed(audit: Audit, thaw: Thaw) -> EmptyThaw | None:
    """The same with the line of the list of names that the condition looks in, where no module has one of them."""
    if not thaw.is_condition or not isinstance(thaw.loop, ast.For):
        return None
    vain = asked_in_vain(audit, thaw.tree, thaw.selection, of_the_loop(thaw.loop))
    if vain is None or (vain.file, vain.line) == (thaw.tree.file, thaw.line):
        return None
    where = source_at(thaw.tree.file, getattr(thaw.node, "lineno", 0))
    related = ((vain.test, "asked here"), (where, "would unfreeze it"))
    known = ", ".join(f"`{name}`" for name in vain.modules[:SHOWN])
    more = ", …" if len(vain.modules) > SHOWN else ""
    seen = f"{vain.missing}, there are {known}{more}"
    return EmptyThaw(source_at(vain.file, vain.line), thaw.tree.text(thaw.selection), seen, related)


def _had_rounds(loop: ast.For, ran: Collection[int]) -> bool:
    """Whether a line of its body ran."""
    return any(line in ran for part in loop.body for line in range(part.lineno, (part.end_lineno or part.lineno) + 1))


def _asks_kind(thaw: Thaw) -> bool:
    """Whether the condition is `isinstance(…)`, without a word on names."""
    match thaw.selection:
        case ast.Call(func=ast.Name(id="isinstance"), args=[_, _]):
            return thaw.is_condition
    return False


def _was_thawed(freezes: list[tuple[int, bool, int]]) -> bool:
    flags = [flag for _, flag, _ in freezes]
    return any(flag and False in flags[:number] for number, flag in enumerate(flags))


def _evidence(audit: Audit, thaw: Thaw) -> tuple[str | None, bool]:
    """(what the selection met instead, whether that proves a mistake); None where it rightly selects nothing."""
    if asks_for_nothing(audit.project_files, thaw):
        return None, False
    loop = thaw.loop if thaw.is_condition and isinstance(thaw.loop, ast.For) else None
    if loop is not None and asked_for_none(audit, thaw.tree, thaw.selection, of_the_loop(loop)):
        return None, False
    if thaw.is_condition:
        wanted = names_asked_for(audit.project_files, thaw)
        names = [state.local_name for state in audit.states if state.root is not None]
        if not wanted or any(text.lower() in name.lower() for text in wanted for name in names):
            return "", False
        more = ", …" if len(names) > SHOWN else ""
        return "the names are " + ", ".join(f"`{name}`" for name in names[:SHOWN]) + more, True
    begin, size, what = begins_at(audit.project_files, thaw, lambda expression: _length(audit, expression))
    if begin is None or size is None:
        return "", False
    if begin <= size:
        return None, False  # it asks for nothing
    return f"`{what}` has {size}", True


def _length(audit: Audit, expression: ast.expr) -> int | None:
    """How many modules a container of the model has that the program names: `model.layers`, `list(net.blocks)`."""
    match expression:
        case ast.Call(func=ast.Name(id="list" | "tuple"), args=[inner]):
            return _length(audit, inner)
        case ast.Call(func=ast.Attribute(value=inner, attr="children"), args=[]):
            return _length(audit, inner)
        case ast.Attribute(attr=name):
            lengths = {
                module.length
                for model in audit.recording.models
                for path, module in audit.recording.below(model.root)
                if path.rpartition(".")[2] == name and module.length is not None
            }
            return lengths.pop() if len(lengths) == 1 else None
    return None


def _made(audit: Audit, thaw: Thaw) -> list[tuple[Tree, int, str]]:
    """Where the variable that the loop goes through is given its value."""
    if thaw.is_condition or not isinstance(thaw.selection, ast.Name):
        return []
    found = sources(audit.project_files, thaw.tree, thaw.selection)
    return [(tree, origin.line, origin.name) for tree, origin in found if not origin.is_handed_on]
