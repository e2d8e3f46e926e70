"""For whom a function writes: where it was given what it writes into."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Sequence

from fxaudit.capture.recording import Op, Record
from fxaudit.judge.trail import project_stack
from fxaudit.program.name_tests import tests_around
from fxaudit.program.put_backs import is_handed_on
from fxaudit.program.source import is_library
from fxaudit.program.tree import tree_of

__all__ = ["where_given", "where_picked"]


def where_given(record: Record, stack: int) -> int:
    """The frame to edit of a write: that of the call which gave the function what it writes into, `zero_(layer)`; where
    nothing is called there by that name, as with `net.apply(init)`, that of the write itself."""
    stacks = record.stacks
    chain = [frame for frame in stacks.chain(project_stack(stacks, stack)) if not is_library(stacks.file(frame))]
    for frame, caller in itertools.pairwise(chain):
        tree, other = tree_of(stacks.file(frame)), tree_of(stacks.file(caller))
        statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
        calling = other.statement_at(stacks.line(caller)) if other is not None else None
        name = stacks.codes[frame].co_name
        if tree is None or statement is None or calling is None or not is_handed_on(tree, statement):
            return frame
        calls = (node.func for node in ast.walk(calling) if isinstance(node, ast.Call))
        if name not in {getattr(called, "attr", getattr(called, "id", "")) for called in calls}:
            return frame
    return chain[-1] if chain else stack


def where_picked(record: Record, writes: Sequence[Op]) -> list[int]:
    """The frames of writes into several things where one call of a function did them all, and picked by tests of its
    own what it writes into: `if "lora_" in name: zeros_(p)`. No edit of that call tells them apart. Empty for others.
    """
    table = record.stacks
    frames = [project_stack(table, op.stack) for op in writes]
    tree = tree_of(table.file(frames[0])) if len(frames) > 1 else None
    if tree is None or len({(table.parents[frame], table.codes[frame]) for frame in frames}) != 1:
        return []
    calls: set[int] = set()
    for op, frame in zip(writes, frames, strict=True):
        statement = tree.statement_at(table.line(frame))
        passes = record.course.at(tree.file, statement.lineno) if statement is not None else []
        calls.update(sight.frame for sight in record.course.passes_at(passes, op.index))
    is_picked = all(tests_around(tree, table.line(frame)) for frame in frames)
    return frames if len(calls) == 1 and is_picked else []
