"""A module that `functional_call` ran with other tensors in the place of its parameters."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack, source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.births import Births
from fxaudit.program.course import Course, Sight
from fxaudit.program.given import calls_in, last_name
from fxaudit.program.slips import lone_text
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import tree_of

__all__ = ["GivenInstead", "given_instead"]

GIVE = "Give `functional_call` the parameter itself, or what is computed from it."
ASK = "Ask for each text: `{!r} in name`. Alone it is always true, and so everything is let through."
DEPTH = 4
"""So many names and calls are followed to where the mapping was made."""


@dataclass(frozen=True, slots=True)
class GivenInstead:
    """What ran the module with another tensor, and what let that into the mapping, where that is known."""

    line: SourceLine
    let_in: SourceLine | None
    words: str
    fix: str


def given_instead(audit: Audit, state: ParameterState) -> GivenInstead | None:
    """The call that ran the module of a parameter with something else in its place; None where there was none."""
    owner = audit.recording.paths(state.root).get(state.local_name.rpartition(".")[0]) if state.root else None
    for call in audit.record.calls:
        if owner is None or call.module != owner.index:
            continue
        stacks = audit.record.stacks
        for frame in stacks.chain(project_stack(stacks, call.stack)):
            tree = tree_of(stacks.file(frame))
            statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
            for node in calls_in(statement):
                if tree is None or statement is None or last_name(node.func) != "functional_call":
                    continue
                if not _reads_another(audit, state, call.index):  # goes through all operations: asked last
                    continue
                line = source_at(tree.file, node.lineno)
                given = [argument for argument in node.args[1:2] if not isinstance(argument, ast.Starred)]
                sights = audit.record.course.at(tree.file, statement.lineno)
                for file, test, text in _filters(audit.record.course, sights[-1:], given):
                    words = f"the text `{text!r}` in `{ast.unparse(test)}` is always true"
                    return GivenInstead(line, source_at(file, test.lineno), words, ASK.format(text))
                return GivenInstead(line, None, "", GIVE)
    return None


def _reads_another(audit: Audit, state: ParameterState, call: int) -> bool:
    """Whether the call, with gradients, read another tensor of the same shape that had been there before it."""
    ops = [op for op in audit.record.ops if op.module == call and op.grad_enabled]
    read = (audit.record.values[vid] for op in ops for vid in op.inputs)
    own, shape = state.index, tuple(state.track.shape)
    return any(value.shape == shape and value.op < ops[0].index and value.track != own for value in read)


def _filters(
    course: Course, sights: list[Sight], parts: list[ast.expr], depth: int = 0
) -> Iterator[tuple[str, ast.expr, str]]:
    """(file, test, text) of each filter that a lone text makes always true, where the mapping is made."""
    births = Births(course)
    for sight in sights if depth < DEPTH else []:
        for node in (node for part in parts for node in ast.walk(part)):
            for loop in getattr(node, "generators", ()):
                tests = ((test, lone_text(test)) for test in loop.ifs)
                yield from ((course.file_of(sight), test, text) for test, text in tests if text is not None)
            if isinstance(node, ast.Call) and (answered := births.answer(sight, node)) is not None:
                yield from _filters(course, [answered[0]], [answered[1]], depth + 1)
            elif isinstance(node, ast.Name) and (bound := births.bound_by(sight, node.id)) is not None:
                yield from _filters(course, [bound[0]], [bound[1]], depth + 1)
