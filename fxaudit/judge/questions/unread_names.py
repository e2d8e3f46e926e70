"""Where the program goes on without a value that has a name, and that nothing reads: the statement to edit."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from fxaudit.capture import operations
from fxaudit.capture.recording import Op, Value
from fxaudit.judge.questions.lost import Lost
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.program.names import (
    also_called,
    calls_again,
    handed_to,
    ingredients,
    is_unread,
    makes_weights,
    names_bound,
    names_read,
    parallel,
    part_read_instead,
    picked_from,
    repeating,
    siblings_of,
    statements_after,
)
from fxaudit.program.plain import INNER
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Tree, binding_of, tree_of

__all__ = ["overlooked", "overlooked_after"]

Candidate = tuple[ast.stmt, str]
MAX_SCALED = 8
"""So many operations that scale a term are followed."""


def overlooked(audit: Audit, stack: int, value: Value) -> list[tuple[SourceLine, str]]:
    """Where the program goes on without the value bound in the frame `stack`: what could have read its name and reads
    another, or a term of the loss that depends on no parameter; (line, role) pairs, the likeliest first.

    The value may be returned, and its name remain unread in a caller.
    """
    stacks = audit.record.stacks
    names: tuple[str, ...] = ()
    inner: tuple[str, int] | None = None
    for frame in stacks.chain(stack):
        place = (stacks.file(frame), stacks.line(frame))
        tree = tree_of(place[0])
        statement = tree.statement_at(place[1]) if tree is not None else None
        if tree is None or statement is None:
            return []
        bound_here = binding_of(*place)
        if inner is None:
            names = bound_here.names or _filled(statement)
        elif bound_here.kind == "assigned":
            names = tuple(dict.fromkeys(n for name in names for n in handed_to(inner, name, place)))
        elif bound_here.kind == "returned":
            continue
        if not names:
            return []
        for name in names:
            if not name.isidentifier():
                line, text = part_read_instead(tree, statement, name)
                if line:
                    return [(source_at(tree.file, line), f"`{text}` is read here, and `{name}` nowhere")]
                return _part_read_by_another(audit, tree, statement, name)
            if is_unread(tree, statement, name):
                return _Unread(audit, frame, tree, statement, name, value).told()
            picked = picked_from(tree, statement, name)
            if picked is not None and frame == stack:
                role = f"`{picked[1]}` picks one here, and the rest goes unread"
                return [(source_at(tree.file, picked[0].lineno), role)]
        inner = place
    return []


def _part_read_by_another(audit: Audit, tree: Tree, statement: ast.stmt, part: str) -> list[tuple[SourceLine, str]]:
    """The second reading of a part of a dictionary that a function is given, if no statement reads `part` of it."""
    variable, _, key = part.removesuffix("]").partition("[")
    course = audit.record.course
    held = {sight.bound[variable].token for sight in course.at(tree.file, statement.lineno) if variable in sight.bound}
    reads: dict[tuple[str, int, str], None] = {}
    for sight in course.sights:
        names = [name for name, seen in sight.read.items() if seen.token >= 0 and seen.token in held]
        for name in names:
            for text in (text for text in sight.read if text.startswith(f"{name}[")):
                reads.setdefault((course.file_of(sight), sight.line, text.removeprefix(name)))
    texts = [text for _, _, text in reads]
    if not key or f"[{key}]" in texts:
        return []
    again = [(file, line, text) for number, (file, line, text) in enumerate(reads) if text in texts[:number]]
    return [
        (source_at(file, line), f"`{text}` is read once more here, and `{key}` nowhere")
        for file, line, text in again[-1:]
    ]


def overlooked_after(audit: Audit, stack: int, lost: Lost, value: Value) -> list[tuple[SourceLine, str]]:
    """The same where the course of the program saw in which caller of `stack` the value was bound last."""
    stacks = audit.record.stacks
    for frame in stacks.chain(stack):
        file, line = stacks.file(frame), stacks.line(frame)
        tree = tree_of(file)
        statement = tree.statement_at(line) if tree is not None else None
        if tree is None or statement is None:
            continue
        here = source_at(file, statement.lineno)
        if (here.file, here.line) == (lost.source.file, lost.source.line) and lost.variable.isidentifier():
            return _Unread(audit, frame, tree, statement, lost.variable, value).told()
    return []


def _filled(statement: ast.stmt) -> tuple[str, ...]:
    """The list of the statement `list.append(…)`."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append" | "extend"))):
            return (name,)
    return ()


@dataclass(frozen=True)
class _Unread:
    """A name that `statement` gives a value, running in `frame`, and that nothing reads afterwards."""

    audit: Audit
    frame: int
    tree: Tree
    statement: ast.stmt
    name: str
    value: Value
    """What is computed from the parameters."""

    def told(self) -> list[tuple[SourceLine, str]]:
        """The lines after the statement that may have been meant to read the name, at most two."""
        if self.name.startswith("_"):
            return []  # it is dropped on purpose
        ways = (
            self._doubled(), self._idle_terms(), self._rebound(), self._sums(), self._beside(), self._parallel(),
            self._made_of_the_same(), self._called_again(),
        )  # fmt: skip
        first: dict[int, tuple[SourceLine, str]] = {}
        for found in ways:
            for other, role in found:
                first.setdefault(other.lineno, (source_at(self.tree.file, other.lineno), role))
        return list(first.values())[:2] or [
            (source_at(self.tree.file, other.lineno), role) for other, role in self._ending()
        ]

    # -- the ways ------------------------------------------------------------------------------------------------

    def _doubled(self) -> Iterator[Candidate]:
        for other in self.later:
            twice = repeating(other)
            if twice and twice != self.name:
                yield other, f"`{twice}` is read twice here, and `{self.name}` nowhere"

    def _idle_terms(self) -> Iterator[Candidate]:
        for other in self.later:
            if any(_is_idle_term(self.audit, op) for op in self._ops(other)):
                yield other, "a term of the loss that no parameter has a part in"

    def _rebound(self) -> Iterator[Candidate]:
        for other in self.later:
            if self.name in names_bound(other):
                yield other, f"`{self.name}` is given another value here, unread"

    def _sums(self) -> Iterator[Candidate]:
        """Where other numbers are added up to the loss, if the value is a number, too."""
        if self.value.numel != 1:
            return
        for other in self.later:
            if any(self._adds_numbers(op) for op in self._ops(other)):
                yield other, f"the loss is summed up here, without `{self.name}`"
                return

    def _beside(self) -> Iterator[Candidate]:
        """Where what was unpacked together with it is used."""
        beside = siblings_of(self.tree, self.statement, self.name)
        alike = {name for name in beside if self._kind_of(name) not in ("", "tensor") and self._is_like(name)}
        for wanted in (alike, beside):
            for other in self.later:
                read = names_read(other) & wanted
                if read and self._reaches(other):
                    yield other, f"`{min(read)}` is used here, and `{self.name}` nowhere"
        yield from self._chosen_by(beside)

    def _chosen_by(self, beside: set[str]) -> Iterator[Candidate]:
        """Where something is chosen by what was unpacked together with it, through masks that are made of that."""
        derived: set[str] = set()
        for other in self.later:
            read = names_read(other) & (beside | derived)
            if read and read & derived and self._reaches(other):
                yield other, f"`{min(read & derived)}` chooses here, and `{self.name}` is used nowhere"
                return
            if read and not self._reaches(other) and isinstance(other, ast.Assign):
                derived |= names_bound(other)

    def _kind_of(self, name: str) -> str:
        """What the name was seen to hold where it was given its value: a kind of object."""
        course = self.audit.record.course
        for sight in reversed(course.at(self.tree.file, self.statement.lineno)):
            if name in sight.bound:
                seen = sight.bound[name]
                return str(seen.value) if seen.kind == "object" else seen.kind
        return ""

    def _is_like(self, name: str) -> bool:
        return self._kind_of(name) == self._kind_of(self.name)

    def _parallel(self) -> Iterator[Candidate]:
        """Where what is made just like it, or from the same things, is read; the second time, if one is read again."""
        beside = self._twins()
        reading = [o for o in self.later if names_read(o) & beside and not names_bound(o) & beside]
        again = [
            o for number, o in enumerate(reading) for p in reading[:number] if names_read(o) & names_read(p) & beside
        ]
        for other in [*again[-1:], *reading[:1]]:
            if self._reaches(other) or isinstance(other, ast.Return):
                yield other, f"`{min(names_read(other) & beside)}` is read here, and `{self.name}` nowhere"

    def _made_of_the_same(self) -> Iterator[Candidate]:
        before = self._ingredients()
        for other in self.later:
            read = ingredients(other) & before
            if read and (self._reaches(other) or isinstance(other, ast.Return)):
                yield other, f"`{min(read)}` is read here, and `{self.name}`, made from it, nowhere"
                return

    def _called_again(self) -> Iterator[Candidate]:
        for other in self.later:
            called = calls_again(self.statement, other)
            if called:
                yield other, f"`{called}` is called again, and `{self.name}` read nowhere"

    def _ending(self) -> Iterator[Candidate]:
        """The statement by which the function ends, if it gives something back."""
        for other in reversed(self.later):
            if isinstance(other, ast.Return) and other.value is not None:
                yield other, f"`{self.name}` has no part in what is returned here"
                return

    # -- what they ask -------------------------------------------------------------------------------------------

    @cached_property
    def later(self) -> list[ast.stmt]:
        """The statements of the function behind it that ran."""
        ran = self.audit.record.ran().of(self.tree.file)
        return [
            other
            for other in statements_after(self.tree, self.statement)
            if any(other.lineno <= line <= (other.end_lineno or other.lineno) for line in ran)
        ]

    def _twins(self) -> set[str]:
        """The names that statements of the same form bind, if the value is one of several such things."""
        scope = self.tree.function(self.statement) or self.tree.root
        others = [s for s in ast.walk(scope) if isinstance(s, ast.Assign) and s is not self.statement]
        alike = [other for other in others if parallel(self.statement, other)]
        if len(alike) > 1 or (alike and not self._could_stand_for_its_source()):
            return set[str]().union(*map(names_bound, alike))
        if makes_weights(self.statement):
            same = ingredients(self.statement)
            return set[str]().union(*(names_bound(o) for o in others if same and ingredients(o) == same))
        if isinstance(self.statement, ast.Assign) and isinstance(self.statement.value, ast.Tuple):
            return names_bound(self.statement) - {self.name}
        return set()

    def _could_stand_for_its_source(self) -> bool:
        """Whether the value has the shape of something that it is made from: then the next step may have been meant to
        go on from it."""
        values = self.audit.record.values
        own = self._ops(self.statement)
        made = {vid for op in own for vid in op.outputs}
        given = (values[vid] for op in own for vid in op.inputs if vid not in made)
        return any(value.track < 0 and value.shape == self.value.shape for value in given)

    def _ingredients(self) -> set[str]:
        """What the value is made from, also through earlier values of the same name."""
        found = ingredients(self.statement) | also_called(self.tree, self.statement, self.name)
        if found <= {self.name}:
            scope = self.tree.function(self.statement) or self.tree.root
            for other in ast.walk(scope):
                if isinstance(other, ast.Assign) and other.lineno < self.statement.lineno:
                    found |= ingredients(other) if self.name in names_bound(other) else set()
        return found - {self.name}

    def _reaches(self, statement: ast.stmt) -> bool:
        """Whether the loss depends on numbers that the statement computes."""
        values, reaching = self.audit.record.values, self.audit.graph.reaching
        return any(out in reaching and values[out].floating for op in self._ops(statement) for out in op.outputs)

    def _adds_numbers(self, op: Op) -> bool:
        values, reaching = self.audit.record.values, self.audit.graph.reaching
        into = [vid for vid in op.inputs if values[vid].numel == 1 and values[vid].floating]
        return operations.of(op.name).sums and bool(into) and any(out in reaching for out in op.outputs)

    def _ops(self, statement: ast.stmt) -> list[Op]:
        """The operations that ran in a statement of the function, in the same call of it."""
        stacks = self.audit.record.stacks
        frame = self.frame
        while stacks.codes[frame].co_name in INNER and stacks.parents[frame] >= 0:
            frame = stacks.parents[frame]
        place = (stacks.codes[frame], stacks.parents[frame])
        last = statement.end_lineno or statement.lineno
        return [
            op
            for op in self.audit.graph.ops
            if any(
                (stacks.codes[above], stacks.parents[above]) == place and statement.lineno <= stacks.line(above) <= last
                for above in stacks.chain(op.stack)
            )
        ]


def _adds(op: Op) -> bool:
    operation = operations.of(op.name)
    return operation.sums or operation.totals or operation.name == "stack"


def _is_idle_term(audit: Audit, op: Op) -> bool:
    """Whether the operation makes a summand of the loss, before or after it is scaled, in which no parameter has a
    part."""
    graph, values = audit.graph, audit.record.values
    waiting = [*op.outputs]
    for out in waiting:
        value = values[out]
        if value.numel == 1 and value.floating and not value.requires_grad and out in graph.reaching:
            for reader in graph.consumers.get(out, ()):
                if _adds(reader) and any(values[made].requires_grad for made in reader.outputs):
                    return True
                if operations.of(reader.name).scaled and len(waiting) < MAX_SCALED:
                    waiting += reader.outputs
    return False
