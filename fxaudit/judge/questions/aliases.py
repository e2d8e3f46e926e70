"""A module that was to be a copy of the one that is trained, and is that one: what freezes it freezes both."""

from __future__ import annotations

import ast
import re

from fxaudit.judge.questions.freezing import freezing_statement
from fxaudit.judge.questions.meeting import meets_itself
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.plain import chain_of, readings
from fxaudit.program.source import SourceLine, actual_path
from fxaudit.program.tree import Tree, tree_of

__all__ = ["frozen_as_a_copy", "one_module_twice"]

COPIES = frozenset("averaged ema momentum ref reference shadow teacher".split())
"""What is called so is a copy that training leaves alone."""
PAIRS = (("q", "k"), ("query", "key"), ("online", "target"), ("student", "teacher"), ("main", "ema"), ("net", "ema"))
"""What is trained, and what follows it, by a word of the names of two attributes."""


def frozen_as_a_copy(audit: Audit, states: list[ParameterState]) -> tuple[SourceLine, str] | None:
    """(the statement that hands the module on without copying it, the name that it gets there), where a line freezes
    by that name what an optimizer holds by another, or what is compared with itself."""
    tree, statement = freezing_statement(audit, states) or (None, None)
    if tree is None or statement is None:
        return None
    are_held = all(state.held for state in states)
    loop = next((outer for outer in tree.ancestors(statement) if isinstance(outer, ast.For)), None)
    at, named = (loop, loop.iter) if loop is not None else (statement, statement)
    chains = {chain.text for part in ast.walk(named) if isinstance(part, ast.expr) and (chain := chain_of(part))}
    course = audit.record.course
    for sight in course.at(tree.file, at.lineno):
        for name in sorted(chains & sight.read.keys()):
            seen = sight.read[name]
            if not are_held and not meets_itself(audit, states, name):
                continue
            for made, target in course.made(seen.token) if seen.kind == "object" and seen.token >= 0 else ():
                bound = readings(course.file_of(made)).statement(made.line)
                owner = tree_of(course.file_of(made))
                names = (target, _handed_on(bound))
                if owner is not None and names[1] and name in names and _is_a_copys(owner, bound, names):
                    return source_at(owner.file, made.line), target
    return None


def one_module_twice(
    audit: Audit, states: list[ParameterState]
) -> tuple[SourceLine, str, str, list[ParameterState]] | None:
    """(the line to edit, the name of what was to be a copy, that of what it is, the parameters of that), where one
    module stands in two places of a model, one of which is named as what training leaves alone; the line is the
    decorator of a function that remembers what it has made, where that hands it out.

    What no optimizer holds may be shared and frozen on purpose: there the names have to be those of a pair, and the
    freeze has to speak of the follower.
    """
    are_held = all(state.held for state in states)
    for root in {id(state.root): state.root for state in states if state.root is not None}.values():
        known: dict[int, str] = {}
        for path, module in audit.recording.paths(root).items():
            other = known.setdefault(module.index, path)
            if other == path or not path or not other:
                continue
            is_copy = _is_left_alone(path) and not _is_left_alone(other) if are_held else _are_a_pair(other, path)
            if not is_copy:
                continue
            if not are_held and not _frozen_by_name(audit, states, path.rpartition(".")[2]):
                continue
            own = [state for state in states if state.local_name.startswith((f"{other}.", f"{path}."))]
            if not own or (are_held and len(own) < len(states)):
                continue
            owner = audit.recording.way(root, path.rpartition(".")[0])[-1]
            set_at = owner.attributes.get(path.rpartition(".")[2], ())
            line = audit.source(set_at[-1][1]) if set_at else None
            if line is not None:
                return _remembering(audit, line) or line, path, other, own
    return None


def _frozen_by_name(audit: Audit, states: list[ParameterState], name: str) -> bool:
    """Whether the statement that froze them, or a loop around it, mentions an attribute of that name."""
    tree, statement = freezing_statement(audit, states) or (None, None)
    if tree is None or statement is None:
        return False
    loops = [outer.iter for outer in tree.ancestors(statement) if isinstance(outer, ast.For)]
    parts = (part for node in (statement, *loops) for part in ast.walk(node))
    return any(isinstance(part, ast.Attribute) and part.attr == name for part in parts)


def _are_a_pair(trained: str, follower: str) -> bool:
    """Whether two attributes of one module differ by the words of a pair, and by nothing else."""
    (above, _, one), (beside, _, other) = trained.rpartition("."), follower.rpartition(".")
    first, second = one.split("_"), other.split("_")
    differing = [pair for pair in zip(first, second, strict=False) if pair[0] != pair[1]]
    return above == beside and len(first) == len(second) and len(differing) == 1 and differing[0] in PAIRS


def _is_left_alone(path: str) -> bool:
    words = re.findall(r"[A-Z]?[a-z]+", path.rpartition(".")[2])
    return not (COPIES | {"target"}).isdisjoint(word.lower() for word in words)


def _remembering(audit: Audit, line: SourceLine) -> SourceLine | None:
    """The decorator, `lru_cache` or `cache`, of the function that the statement at the line calls."""
    tree = tree_of(actual_path(line.file))
    statement = tree.statement_at(line.line) if tree is not None else None
    value = statement.value if isinstance(statement, ast.Assign) else None
    if not isinstance(value, ast.Call):
        return None
    called = getattr(value.func, "attr", getattr(value.func, "id", ""))
    for other in filter(None, map(tree_of, audit.project_files)):
        for function in other.statements:
            if isinstance(function, ast.FunctionDef) and function.name == called:
                for decorator in function.decorator_list:
                    kind = decorator.func if isinstance(decorator, ast.Call) else decorator
                    if getattr(kind, "attr", getattr(kind, "id", "")) in ("lru_cache", "cache"):
                        return source_at(other.file, decorator.lineno)
    return None


def _handed_on(statement: ast.stmt | None) -> str:
    """The name whose object the statement gives another name; "" where it does something else."""
    match statement:
        case ast.Assign(value=ast.Name() | ast.Attribute() as value):
            return ast.unparse(value)
    return ""


def _is_a_copys(tree: Tree, statement: ast.stmt | None, names: tuple[str, ...]) -> bool:
    """Whether one of the names, or the class in which they stand, is that of a copy."""
    kind = next((n for n in tree.ancestors(statement) if isinstance(n, ast.ClassDef)), None) if statement else None
    words = re.findall(r"[A-Z]?[a-z]+", " ".join((*names, kind.name if kind is not None else "")))
    return not COPIES.isdisjoint(word.lower() for word in words)
