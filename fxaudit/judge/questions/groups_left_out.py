"""A loop that gives the groups of an optimizer their rates, and ends before the last of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from fxaudit.answer.finding import Finding, Related
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.program.course import PASSES, Sight
from fxaudit.program.plain import chain_of
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Tree, tree_of

__all__ = ["with_groups_left_out"]

FIX = "Give as many rates as there are groups; `zip(…, strict=True)` raises where there are not."


@dataclass(frozen=True, slots=True)
class _Loop:
    """A loop that writes rates: what holds the groups, what it goes through beside them, and the statement within."""

    tree: Tree
    node: ast.For
    groups: ast.expr
    others: tuple[ast.expr, ...]
    write: ast.stmt


def with_groups_left_out(audit: Audit, finding: Finding) -> Finding:
    """The finding on a rate of 0; with the loop that ends before the groups of its parameters, where that writes the
    rates of the others."""
    line = finding.culprit
    if finding.code != "FXA304" or line is None or finding.level == "note":
        return finding
    own = {name: state.held for state in audit.states if (name := state.name) in set(finding.parameters)}
    held = {place for places in own.values() for place in places}
    optimizers = {optimizer for optimizer, _ in held}
    if len(optimizers) != 1 or len(own) != len(set(finding.parameters)):
        return finding
    number = len(audit.recording.optimizers[optimizers.pop()].groups)
    for loop in _writing_rates(audit):
        told = _ending_before(audit, loop, number, min(group for _, group in held))
        if told is not None:
            words, behind = told
            here = source_at(loop.tree.file, loop.node.lineno)
            write = source_at(loop.tree.file, loop.write.lineno)
            related = (Related(write, "the others get their rate here"), *behind, *finding.related)[:3]
            return replace(finding, culprit=here, related=related, fix=FIX, message=f"{finding.message}: {words}")
    return finding


def _writing_rates(audit: Audit) -> Iterator[_Loop]:
    """The loops that write `["lr"]` of what they go through, or of the group at their index."""
    for tree in filter(None, map(tree_of, audit.project_files)):
        for node in (one for one in tree.nodes if isinstance(one, ast.For)):
            for write in node.body:
                match write:
                    case ast.Assign(targets=[ast.Subscript(value=group, slice=ast.Constant(value="lr"))]):
                        found = _gone_through(node, group)
                        if found is not None:
                            yield _Loop(tree, node, found[0], found[1], write)


def _gone_through(loop: ast.For, group: ast.expr) -> tuple[ast.expr, tuple[ast.expr, ...]] | None:
    """(what holds the groups, what else the loop goes through) where `group` is a member of a `zip`, or is read by the
    index at which the loop is in something else."""
    through, target = loop.iter, loop.target
    index = ""
    match through, target:
        case ast.Call(func=ast.Name(id="enumerate"), args=[inner]), ast.Tuple(elts=[ast.Name(id=index), member]):
            through, target = inner, member
        case ast.Call(func=ast.Name(id="range"), args=[ast.Call(func=ast.Name(id="len"), args=[inner])]), ast.Name(
            id=index
        ):
            through = inner
    match group, through, target:
        case ast.Subscript(value=groups, slice=ast.Name(id=name)), _, _ if name == index:
            return groups, (through,)
        case ast.Name(id=name), ast.Call(func=ast.Name(id="zip"), args=parts, keywords=[]), ast.Tuple(elts=members):
            names = [getattr(member, "id", "") for member in members]
            if len(parts) == len(names) > 1 and names.count(name) == 1:
                at = names.index(name)
                return parts[at], (*parts[:at], *parts[at + 1 :])
    return None


def _ending_before(audit: Audit, loop: _Loop, number: int, first: int) -> tuple[str, tuple[Related, ...]] | None:
    """What is told of a loop that goes through less than the `number` of groups, and ends before the group `first`."""
    course, groups = audit.record.course, chain_of(loop.groups)
    sight = next(iter(course.at(loop.tree.file, loop.node.lineno)), None)
    rounds = [one for one in course.in_frame(sight.frame) if one.line == loop.write.lineno] if sight is not None else []
    if sight is None or groups is None or not rounds:
        return None
    seen = sight.read.get(groups.text) or rounds[0].read.get(groups.text)
    if seen is None or seen.kind != "list" or seen.value != number:
        return None
    if len(rounds) >= PASSES - 1 or not len(rounds) <= first < number:
        return None
    text = ast.unparse(loop.groups)
    for other in loop.others:
        size, made = _sized(audit, sight, other)
        if size == len(rounds):
            words = f"of the {number} in `{text}` this comes to {size}, as `{ast.unparse(other)}` has no more"
            return words, tuple(Related(line, role) for line, role in made)
    return f"of the {number} in `{text}` this loop comes to {len(rounds)}", ()


def _sized(audit: Audit, sight: Sight, sequence: ast.expr) -> tuple[object, list[tuple[SourceLine, str]]]:
    """(how many members it has, where it was given its name)."""
    course = audit.record.course
    if isinstance(sequence, ast.Tuple | ast.List):
        return len(sequence.elts), []
    chain = chain_of(sequence)
    seen = sight.read.get(chain.text) if chain is not None else None
    if seen is None or seen.kind not in ("list", "dict"):
        return None, []
    made = next(iter(course.made(seen.token)), None) if seen.token >= 0 else None
    if made is None:
        return seen.value, []
    line = source_at(course.file_of(made[0]), made[0].line)
    return seen.value, [(line, f"`{made[1]}` has {seen.value} here")]
