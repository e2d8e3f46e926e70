"""A `zip(…)` that ends before the last member of one of its sequences, which it drops without a word."""

from __future__ import annotations

import ast
from dataclasses import replace

from fxaudit.answer.finding import Finding, Related
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.program.course import Plain, Seen, Sight
from fxaudit.program.handing import collection_at
from fxaudit.program.plain import chain_of
from fxaudit.program.source import SourceLine, actual_path, is_library
from fxaudit.program.tree import Tree, tree_of

__all__ = ["with_short_zip"]

CHOOSING = ("FXA301", "FXA304", "FXA306")
"""The rules whose culprit may choose parameters in a loop."""
ENDING = ("FXA103",)
"""The rules whose culprit may put a value into a collection of which not all is used."""
FIX = "Make the sequences equally long; `zip(…, strict=True)` raises where they are not."


def with_short_zip(audit: Audit, finding: Finding) -> Finding:
    """The finding; with the `zip` that ends too early, where it is the loop around its culprit and ends before the
    member of a sequence that names the parameters, or goes through what its culprit collects."""
    line = finding.culprit
    if line is None or line.library or is_library(line.file):
        return finding
    if finding.code in ENDING:
        return _over_collected(audit, finding, line)
    if finding.code not in CHOOSING:
        return finding
    tree = tree_of(actual_path(line.file))
    statement = tree.statement_at(line.line) if tree is not None else None
    for loop in (n for n in tree.ancestors(statement) if isinstance(n, ast.For)) if tree and statement else ():
        for sequence in _zipped(loop.iter):
            dropped = _dropped(audit, tree.file, loop, sequence) if tree is not None else ()
            named = [member for member in dropped if isinstance(member, str) and _names_all(member, finding)]
            if tree is not None and named:
                here = source_at(tree.file, loop.lineno)
                told = f"`zip` ends before `{named[0]}`: another sequence is shorter than `{ast.unparse(sequence)}`"
                related = (Related(line, "what the loop would do for it"), *finding.related)[:3]
                return replace(finding, culprit=here, related=related, fix=FIX, message=f"{finding.message}: {told}")
    return finding


def _over_collected(audit: Audit, finding: Finding, line: SourceLine) -> Finding:
    """The finding; with the `zip` that drops members of the list into which its culprit puts the value."""
    tree = tree_of(actual_path(line.file))
    statement = tree.statement_at(line.line) if tree is not None else None
    kept = collection_at(tree.file, line.line) if tree is not None else ""
    if tree is None or statement is None or not kept:
        return finding
    course = audit.record.course
    tokens = {s.read[kept].token for s in course.at(tree.file, statement.lineno) if kept in s.read} - {-1}
    for other in (found for found in map(tree_of, course.files()) if found is not None and tokens):
        for call in (node for node in other.calls if len(_zipped(node)) > 1):
            short = _ending_before(audit, other, call, tokens)
            if short:
                here = source_at(other.file, call.lineno)
                related = (Related(line, "put into the list here"), *finding.related)[:3]
                return replace(finding, culprit=here, related=related, fix=FIX, message=f"{finding.message}: {short}")
    return finding


def _ending_before(audit: Audit, tree: Tree, call: ast.Call, tokens: set[int]) -> str:
    """What ends the `zip` before the last member of the list, one of `tokens`; "" where nothing is known to."""
    statement = tree.statement(call)
    for sight in audit.record.course.at(tree.file, statement.lineno) if statement is not None else ():
        parts = [(part, _seen(sight, _unwrapped(part))) for part in _zipped(call)]
        lists = [
            (ast.unparse(_unwrapped(part)), seen) for part, seen in parts if seen is not None and seen.kind == "list"
        ]
        sizes = {text: seen.value for text, seen in lists if isinstance(seen.value, int)}
        ours = next((text for text, seen in lists if seen.token in tokens and text in sizes), "")
        shortest = min(sizes, key=lambda text: sizes[text], default="")
        if ours and sizes[shortest] < sizes[ours]:
            return f"`zip` takes {sizes[shortest]} of the {sizes[ours]} in `{ours}`, as `{shortest}` has no more"
    return ""


def _unwrapped(sequence: ast.expr) -> ast.expr:
    """What `reversed(…)` and its kin go through: as many members."""
    match sequence:
        case ast.Call(func=ast.Name(id="reversed" | "list" | "tuple" | "enumerate" | "sorted"), args=[inner, *_]):
            return _unwrapped(inner)
    return sequence


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
