"""A loop over `zip(…)` that ends before the last member of one of its sequences, which `zip` drops without a word."""

from __future__ import annotations

import ast
from dataclasses import replace

from fxaudit.answer.finding import Finding, Related
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.program.course import Plain, Seen, Sight
from fxaudit.program.plain import chain_of
from fxaudit.program.source import actual_path, is_library
from fxaudit.program.tree import tree_of

__all__ = ["with_short_zip"]

CHOOSING = ("FXA301", "FXA304", "FXA306")
"""The rules whose culprit may choose parameters in a loop."""


def with_short_zip(audit: Audit, finding: Finding) -> Finding:
    """The finding; with the header of the loop around its culprit, where the loop ends before the member of a sequence
    that names the parameters."""
    line = finding.culprit
    if line is None or line.library or finding.code not in CHOOSING or is_library(line.file):
        return finding
    tree = tree_of(actual_path(line.file)) or tree_of(line.file)
    statement = tree.statement_at(line.line) if tree is not None else None
    for loop in (n for n in tree.ancestors(statement) if isinstance(n, ast.For)) if tree and statement else ():
        for sequence in _zipped(loop.iter):
            dropped = _dropped(audit, tree.file, loop, sequence) if tree is not None else ()
            named = [member for member in dropped if isinstance(member, str) and _names_all(member, finding)]
            if tree is not None and named:
                here = source_at(tree.file, loop.lineno)
                told = f"`zip` ends before `{named[0]}`: another sequence is shorter than `{ast.unparse(sequence)}`"
                related = (Related(line, "what the loop would do for it"), *finding.related)[:3]
                fix = "Make the sequences equally long; `zip(…, strict=True)` raises where they are not."
                return replace(finding, culprit=here, related=related, fix=fix, message=f"{finding.message}: {told}")
    return finding


def _zipped(iterated: ast.expr) -> list[ast.expr]:
    """What `zip(…)` goes through, also within `enumerate(…)`."""
    match iterated:
        case ast.Call(func=ast.Name(id="enumerate" | "list" | "tuple"), args=[inner, *_]):
            return _zipped(inner)
        case ast.Call(func=ast.Name(id="zip"), args=[_, _, *_] as found):
            return found
    return []


def _dropped(audit: Audit, file: str, loop: ast.For, sequence: ast.expr) -> tuple[Plain, ...]:
    """The members of the sequence that no round of the loop came to."""
    course = audit.record.course
    for sight in reversed(course.at(file, loop.lineno)):
        seen = _seen(sight, sequence)
        if seen is not None and seen.members is not None:
            rounds = [s for s in course.in_frame(sight.frame) if s.line == loop.body[0].lineno]
            return seen.members[len(rounds) :] if rounds else ()
    return ()


def _seen(sight: Sight, sequence: ast.expr) -> Seen | None:
    chain = chain_of(sequence)
    return sight.read.get(chain.text) if chain is not None else None


def _names_all(member: str, finding: Finding) -> bool:
    """Whether all parameters of the finding stand below the name."""
    names = finding.parameters
    return bool(names) and all(name == member or f".{name}".find(f".{member.rstrip('.')}.") >= 0 for name in names)
