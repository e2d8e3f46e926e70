"""Why one module of a class did not run a line that others of its class ran: how the tests around it went there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from fxaudit.capture.registry import ModuleInfo
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.program.decisions import Decision, Decisions, tests_before
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Tree, call_sites

__all__ = ["Turned", "turned_away"]


@dataclass(frozen=True, slots=True)
class Turned:
    """The test that kept one module from a line."""

    line: SourceLine
    """Where it stands."""
    words: str
    decision: Decision


def turned_away(audit: Audit, owner: ModuleInfo, tree: Tree, mention: ast.AST) -> Turned | None:
    """The test, in the forward of the owner, that kept the mention from running when the owner ran, though it runs in
    others; None where none did, or that was not seen."""
    began = [call.time for call in audit.record.calls if call.module == owner.index]
    course = audit.record.course
    for at, node in _sites(tree, mention) if began else ():
        for line, test, needed in tests_before(at, node):
            passes = course.at(at.file, line)  # the first ones alone are kept
            own = [
                next(s for s in passes if s.moment >= time) for time in began if passes and time <= passes[-1].moment
            ]
            went = [Decisions(course).in_pass(sight, test, outcome=not needed) for sight in own]
            if went and went[0] is not None and all(decision is not None for decision in went):
                words = f"in this one `{at.text(test)}` is {not needed}"
                return Turned(source_at(at.file, line), words, went[0])
    return None


def _sites(tree: Tree, mention: ast.AST) -> Iterator[tuple[Tree, ast.AST]]:
    """The mention, where a forward makes it, or the calls of the method that does, on the same object, in forwards."""
    scope = tree.function(mention)
    name = getattr(scope, "name", "")
    if name == "forward":
        yield tree, mention
        return
    for other, call in call_sites([tree.file], name):
        match call.func:
            case ast.Attribute(value=ast.Name(id="self")) if getattr(other.function(call), "name", "") == "forward":
                yield other, call
