"""Why something is frozen that was not meant to be: a line that does not do what it seems to."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fxaudit.judge.questions.births import unread_setting
from fxaudit.judge.questions.freezing import counted_around, decisions_around, last_freeze
from fxaudit.judge.questions.names_that_go_on import going_on
from fxaudit.judge.questions.text_flags import COMPARE, means_no
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack, source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.anchored import anchored_in_vain
from fxaudit.program.births import Births
from fxaudit.program.course import Course
from fxaudit.program.evaluation import evaluated
from fxaudit.program.name_tests import tests_around
from fxaudit.program.slips import (
    flag_of_text,
    flags_read_late,
    inverted_option,
    lone_text,
    made_flags,
    only_compared,
    shallow_copies,
)
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Tree, tree_of

__all__ = ["Slip", "frozen_by_a_slip"]


@dataclass(frozen=True, slots=True)
class Slip:
    """A line that does not do what it seems to, what it does, and how to write it."""

    culprit: SourceLine
    words: str
    fix: str
    only: frozenset[str] = frozenset()
    """The parameters that it concerns, where it is not all that the line froze."""


def frozen_by_a_slip(audit: Audit) -> Iterator[tuple[Slip, list[ParameterState]]]:
    """The slips by which parameters are frozen, each with those."""
    by_stack: dict[int, list[ParameterState]] = {}
    for state in audit.unexplained("frozen"):
        by_stack.setdefault(last_freeze(state), []).append(state)
    ways: tuple[Callable[[Audit, int], Slip | None], ...] = (
        _true_text, _letters, _text_for_a_flag, _inverted_option, _flags_read_late, _shallow_copy,
        _comparison, _going_on, _anchored, _overruled,
    )  # fmt: skip
    found: dict[Slip, list[ParameterState]] = {}
    for stack, states in by_stack.items():
        slip = next((slip for way in ways if stack >= 0 and (slip := way(audit, stack)) is not None), None)
        if slip is not None:
            found.setdefault(slip, []).extend(s for s in states if not slip.only or s.name in slip.only)
    yield from found.items()


def _place(audit: Audit, stack: int) -> tuple[Tree, ast.stmt] | None:
    """The user's statement that froze something."""
    stacks = audit.record.stacks
    frame = project_stack(stacks, stack)
    tree = tree_of(stacks.file(frame))
    statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
    return (tree, statement) if tree is not None and statement is not None else None


def _true_text(audit: Audit, stack: int) -> Slip | None:
    """`if "a" in name or "b":` lets everything through."""
    place = _place(audit, stack)
    if place is None:
        return None
    tree, statement = place
    outer = (node for node in tree.ancestors(statement) if isinstance(node, ast.If))
    for test in (node.test for node in outer):
        text = lone_text(test)
        if text is not None:
            words = f"the text `{text!r}` in the test is always true"
            return Slip(source_at(tree.file, test.lineno), words, f"Ask for each text: `{text!r} in name`.")
    return None


def _letters(audit: Audit, stack: int) -> Slip | None:
    """`for prefix in "encoder":` goes through the letters, of which each begins some name."""
    place = _place(audit, stack)
    tree, statement = place if place is not None else (None, None)
    if tree is None or statement is None:
        return None
    course = audit.record.course
    headers = [node for node in tree.ancestors(statement) if isinstance(node, ast.For | ast.If)]
    for header in headers:
        asked = header.iter if isinstance(header, ast.For) else header.test
        parts = [asked] if isinstance(header, ast.For) else []
        parts += [loop.iter for node in ast.walk(asked) for loop in getattr(node, "generators", ())]
        for sight in course.at(tree.file, header.lineno):
            for part in parts:
                text = evaluated(part, sight.read)
                if isinstance(text, str) and len(text) > 1:
                    birth = Births(course).back(sight, part, text)
                    where = (birth.file, birth.line) if birth is not None else (tree.file, part.lineno)
                    words = f"`{ast.unparse(part)}` is the text {text!r}, and is gone through letter by letter"
                    return Slip(source_at(*where), words, "Write a list, if only of one text.")
    return None


def _text_for_a_flag(audit: Audit, stack: int) -> Slip | None:
    """`if bool("0"):`"""
    for decision in decisions_around(audit, stack):
        if means_no(decision):
            words = f"the text `{decision.value!r}` is taken for a flag, and is true"
            return Slip(source_at(*decision.place), words, COMPARE)
        if decision.value is not True:
            continue
        birth, name = decision.birth, decision.operand.rpartition(".")[2]
        places = [(birth.file, birth.line)] if birth is not None else made_flags(audit.project_files, name)
        for file, line in places if len(places) == 1 else ():
            tree = tree_of(file)
            statement = tree.statement_at(line) if tree is not None else None
            sights = audit.record.course.at(file, statement.lineno if statement is not None else line)
            text = flag_of_text(file, line, {k: v for sight in sights for k, v in sight.read.items()})
            if text is not None:
                told = text if text == "a text" else f"the text `{text!r}`"
                words = f"{told} is taken for a flag, and is true"
                return Slip(source_at(file, line), words, "Compare the text: `value.lower() in ('1', 'true')`.")
    return None


def _inverted_option(audit: Audit, stack: int) -> Slip | None:
    """`--freeze` with `store_false`: it is on where nobody asks for it; or `--no-freeze` that stores True."""
    for decision in decisions_around(audit, stack):
        birth = decision.birth
        tree = tree_of(birth.file) if birth is not None and birth.kind == "option" else None
        statement = tree.statement_at(birth.line) if tree is not None and birth is not None else None
        told = inverted_option(statement) if statement is not None and decision.value is True else None
        if told is not None and birth is not None:
            return Slip(source_at(birth.file, birth.line), *told)
    return None


def _flags_read_late(audit: Audit, stack: int) -> Slip | None:
    """Flags that are put back were read after they had been switched off: so they stay off."""
    place = _place(audit, stack)
    if place is None:
        return None
    tree, statement = place
    late = flags_read_late(tree, statement)
    if late is None or not {late[0].lineno, late[1].lineno} <= audit.record.ran().of(tree.file):
        return None
    words = f"the flags that are put back are read after line {late[1].lineno} has switched them off"
    return Slip(source_at(tree.file, late[0].lineno), words, "Read the flags before they are switched off.")


def _shallow_copy(audit: Audit, stack: int) -> Slip | None:
    """`shadow = copy.copy(net)`, and then `shadow.requires_grad_(False)`."""
    place = _place(audit, stack)
    if place is None:
        return None
    tree, statement = place
    outer = [statement, *(node.iter for node in tree.ancestors(statement) if isinstance(node, ast.For))]
    # A module's attributes are asked for; the shallow copy of a list of parameters is a list, and gone through.
    frozen = {ast.unparse(n.value) for part in outer for n in ast.walk(part) if isinstance(n, ast.Attribute)}
    for other, copied, target in shallow_copies(audit.project_files):
        if target in frozen and copied.lineno in audit.record.ran().of(other.file):
            words = f"`{target}` is a shallow copy, and shares them"
            return Slip(source_at(other.file, copied.lineno), words, "Copy the module with `copy.deepcopy`.")
    return None


def _comparison(audit: Audit, stack: int) -> Slip | None:
    """`p.requires_grad == True`, where `=` was meant, of what was frozen before it."""
    tree, frozen = _place(audit, stack) or (None, None)
    if tree is None or frozen is None:
        return None
    for file in audit.project_files:
        other = tree_of(file)
        for statement in only_compared(other, "requires_grad") if other is not None else ():
            if other is not None and _is_of_the_same(audit.record.course, (tree, frozen), (other, statement)):
                words = f"`{ast.unparse(statement)}` compares, and sets nothing"
                return Slip(source_at(file, statement.lineno), words, "Write one `=`.")
    return None


def _is_of_the_same(course: Course, first: tuple[Tree, ast.stmt], second: tuple[Tree, ast.stmt]) -> bool:
    """Whether the second statement ran later than the first, and was given the same module or parameter."""
    before, behind = (_objects_of(course, *place) for place in (first, second))
    return any(token in before and moment > before[token] for token, moment in behind.items())


def _objects_of(course: Course, tree: Tree, statement: ast.stmt) -> dict[int, int]:
    """The objects that a statement and the loops around it were given, each with the sight of it.

    Of `net.body.parameters()` that is the body, and not the net.
    """
    headers = (node for node in tree.ancestors(statement) if isinstance(node, ast.For))
    found: dict[int, int] = {}
    for line in (statement.lineno, *(node.lineno for node in headers)):
        for sight in course.at(tree.file, line):
            longest = (n for n in sight.read if not any(other.startswith(f"{n}.") for other in sight.read))
            seen = (sight.read[name] for name in longest)
            found.update(
                {one.token: sight.index for one in seen if one.kind in ("object", "tensor") and one.token >= 0}
            )
    return found


def _overruled(audit: Audit, stack: int) -> Slip | None:
    """The base of a configuration is merged over it: what it says of `frozen_stages` is lost."""
    for decision in (*decisions_around(audit, stack), *counted_around(audit, stack)):
        birth = decision.birth
        if birth is not None and birth.kind == "overruled":
            counts, lost = birth.stations[-2:]
            files = [os.path.basename(file) for file, _, _ in (counts, lost)]
            words = f"`{files[0]}` is merged over `{files[1]}`, where {lost[2].partition(',')[0].removesuffix(' here')}"
            return Slip(source_at(birth.file, birth.line), words, unread_setting(birth))
    return None


def _going_on(audit: Audit, stack: int) -> Slip | None:
    """`name.startswith("blocks.1")` holds of `blocks.10`, too, and `name.startswith("text")` of `text_proj`."""
    found = going_on(audit, [s for s in audit.unexplained("frozen") if last_freeze(s) == stack])
    if found is None:
        return None
    asked, beyond = found
    words = f"`{asked.words}` holds of `{beyond[0].local_name}`, too, where `{asked.text}` is asked for"
    return Slip(source_at(asked.file, asked.line), words, asked.fix, frozenset(s.name for s in beyond))


def _anchored(audit: Audit, stack: int) -> Slip | None:
    """`re.match("adapter", name)` asks for names that begin so, and `layers.0.adapter` does not."""
    place = _place(audit, stack)
    if place is None:
        return None
    tree, statement = place
    states = {s.local_name: s.name for s in audit.unexplained("frozen") if last_freeze(s) == stack}
    names = [state.local_name for state in audit.states]
    tests = tests_around(tree, statement.lineno)
    found = anchored_in_vain(audit.record.course, tree, tests, names, list(states))
    if found is None:
        return None
    only = frozenset(states[name] for name in found.named)
    return Slip(source_at(found.file, found.line), found.sentence, found.fix, only)
