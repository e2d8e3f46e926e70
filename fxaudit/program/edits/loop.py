"""The training loop: calls that are missing, lack their parentheses, or stand in the wrong place."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from fxaudit.program.edits.syntax import Place, Syntax, last_name, of_text, parsed

__all__ = [
    "backward_before",
    "before",
    "behind",
    "called",
    "cleared_behind",
    "inherited_step",
    "instead",
    "moved_before",
    "moved_behind",
    "removed",
    "removed_alike",
    "scheduled",
    "step_behind",
    "unpinned",
    "without_inputs",
    "without_surgery",
    "written_to_value",
]


def behind(text: str, place: Place, added: str) -> Iterator[str]:
    """`added` behind the statement at the place."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is not None and statement is not None:
        yield from filter(None, [syntax.inserted(statement, added)])


def before(text: str, place: Place, added: str) -> Iterator[str]:
    """`added` before the statement at the place."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is not None and statement is not None:
        yield from filter(None, [syntax.inserted(statement, added, before=True)])


def step_behind(text: str, place: Place) -> Iterator[str]:
    """A step behind the statement at the place, of what its function clears."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or statement is None:
        return
    for call in syntax.inside(syntax.function(statement), cst.Call):
        if isinstance(call.func, cst.Attribute) and call.func.attr.value == "zero_grad":
            yield from filter(None, [syntax.inserted(statement, f"{syntax.code(call.func.value)}.step()")])


def called(text: str, place: Place) -> Iterator[str]:
    """A statement that only names a method, with the parentheses that call it."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    for part in statement.body:
        if isinstance(part, cst.Expr) and isinstance(part.value, cst.Name | cst.Attribute):
            yield syntax.replaced((part.value, cst.Call(part.value)))


def removed(text: str, place: Place) -> Iterator[str]:
    """Without the statement at the place: an early way out, a clearing that comes too early."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is not None and isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1:
        yield from filter(None, [syntax.without(statement)])


def removed_alike(text: str, place: Place) -> Iterator[str]:
    """Without the statement at the place and every other that says the same, where there is another."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return
    said = syntax.code(statement.body[0])
    alike = [s for s in syntax.all(cst.SimpleStatementLine) if [syntax.code(part) for part in s.body] == [said]]
    if len(alike) < 2:
        return
    for number in range(len(alike)):
        left = of_text(text)
        again = (
            [s for s in left.all(cst.SimpleStatementLine) if [left.code(part) for part in s.body] == [said]]
            if left
            else []
        )
        if left is None or len(again) != len(alike) - number:
            return
        text = left.without(again[-1])
    yield text


def instead(text: str, place: Place, method: str, owner: str) -> Iterator[str]:
    """`owner.method()` in the place of the same method of something else."""
    syntax = of_text(text)
    if syntax is None:
        return
    for call in syntax.on_line(place, cst.Call):
        if isinstance(call.func, cst.Attribute) and call.func.attr.value == method:
            new = cst.parse_expression(owner)
            if not call.func.value.deep_equals(new):
                yield syntax.replaced((call.func.value, new))


def _named(syntax: Syntax, around: cst.CSTNode, method: str) -> list[cst.SimpleStatementLine]:
    found = []
    for statement in syntax.inside(around, cst.SimpleStatementLine):
        for part in statement.body:
            match part:
                case cst.Expr(value=cst.Call(func=func)) if last_name(func) == method:
                    found.append(statement)
    return sorted(found, key=syntax.first)


def moved_behind(text: str, place: Place, method: str) -> Iterator[str]:
    """The statement at the place behind the next call of `method` in the same function."""
    yield from _moved(text, place, method, before=False)


def moved_before(text: str, place: Place, method: str) -> Iterator[str]:
    """The statement at the place before the call of `method` in the same function."""
    yield from _moved(text, place, method, before=True)


def _moved(text: str, place: Place, method: str, *, before: bool) -> Iterator[str]:
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    moved: cst.SimpleStatementLine | cst.For = statement
    block = syntax.body(statement)
    loop = syntax.parent(block[0]) if block is not None else None
    if isinstance(loop, cst.For) and block is not None and len(block[1]) == 1:
        moved = loop  # for p in …: p.grad = None
    for other in _named(syntax, syntax.function(statement), method):
        if other is not statement and syntax.body(other) is not None:
            yield from filter(None, [_both(syntax, moved, other, before)])


def _both(
    syntax: Syntax, statement: cst.SimpleStatementLine | cst.For, other: cst.SimpleStatementLine, before: bool
) -> str:
    """Moved in one go: out of its own block, into that of the other."""
    moved = statement.with_changes(leading_lines=[])
    pair: list[cst.BaseStatement] = [moved, other] if before else [other, moved]
    visitor = _Moving(id(statement), id(other), pair)
    return syntax.module.visit(visitor).code


class _Moving(cst.CSTTransformer):
    def __init__(self, gone: int, at: int, pair: list[cst.BaseStatement]) -> None:
        super().__init__()
        self._gone, self._at, self._pair = gone, at, pair

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement] | cst.RemovalSentinel:
        if id(original_node) == self._gone:
            return cst.RemovalSentinel.REMOVE
        if id(original_node) == self._at:
            return cst.FlattenSentinel(self._pair)
        return updated_node

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> cst.BaseStatement | cst.RemovalSentinel:
        return cst.RemovalSentinel.REMOVE if id(original_node) == self._gone else updated_node


def cleared_behind(text: str, place: Place) -> Iterator[str]:
    """The gradients cleared behind the step at the place."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or statement is None:
        return
    for call in syntax.on_line(place, cst.Call):
        if isinstance(call.func, cst.Attribute) and call.func.attr.value == "step":
            owner = syntax.code(call.func.value)
            if call.args and isinstance(call.args[0].value, cst.Name | cst.Attribute):  # scaler.step(optimizer)
                yield from filter(None, [syntax.inserted(statement, f"{syntax.code(call.args[0].value)}.zero_grad()")])
            yield from filter(None, [syntax.inserted(statement, f"{owner}.zero_grad()")])


def backward_before(text: str, place: Place) -> Iterator[str]:
    """A `backward` of the nearest loss above, before the statement at the place or behind the loss."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or statement is None:
        return
    lines = [s for s in syntax.inside(syntax.function(statement), cst.SimpleStatementLine)]
    for line in sorted(lines, key=syntax.first, reverse=True):
        for part in line.body:
            if isinstance(part, cst.Assign) and syntax.first(line) <= place.line:
                name = part.targets[0].target
                if isinstance(name, cst.Name) and (
                    "loss" in name.value or name.value in ("total", "cost", "objective")
                ):
                    yield from filter(None, [syntax.inserted(line, f"{name.value}.backward()")])


def unpinned(text: str, _: Place) -> Iterator[str]:
    """`scaler.update()` without a scale of its own, so that a skipped step lowers it."""
    syntax = of_text(text)
    if syntax is None:
        return
    for call in syntax.all(cst.Call):
        match call.func:
            case cst.Attribute(value=owner, attr=cst.Name(value="update")) if call.args:
                if "scaler" in last_name(owner).lower():
                    yield syntax.replaced((call, call.with_changes(args=[])))


def inherited_step(text: str, place: Place) -> Iterator[str]:
    """An own `step` that also makes the one that its class inherits."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or statement is None:
        return
    around = [statement, *syntax.above(statement)]
    method = next((a for a in around if isinstance(a, cst.FunctionDef) and a.name.value == "step"), None)
    owner = syntax.class_of(method) if method is not None else None
    if method is None or owner is None or not isinstance(method.body, cst.IndentedBlock):
        return
    if any(last_name(base.value) == "Optimizer" for base in owner.bases):
        return  # that one has no step of its own
    statements = list(method.body.body)
    ends = isinstance(statements[-1], cst.SimpleStatementLine) and isinstance(statements[-1].body[-1], cst.Return)
    position = len(statements) - ends
    yield syntax.with_block(method.body, [*statements[:position], *parsed("super().step()"), *statements[position:]])


def scheduled(text: str, _: Place) -> Iterator[str]:
    """A scheduler that steps: called, moved into the loop, behind the optimizer's step, or added there."""
    syntax = of_text(text)
    if syntax is None:
        return
    for assign in syntax.all(cst.Assign):
        made = last_name(assign.value.func) if isinstance(assign.value, cst.Call) else ""
        if made.endswith(("LR", "Scheduler")) or "schedule" in made:
            yield from _stepping(syntax, syntax.code(assign.targets[0].target))


def _stepping(syntax: Syntax, scheduler: str) -> Iterator[str]:
    lines = [s for s in syntax.all(cst.SimpleStatementLine) if len(s.body) == 1]
    named = [s for s in lines if syntax.code(s.body[0]).rstrip("; ") == f"{scheduler}.step"]
    for statement in named:
        yield syntax.replaced((statement.body[0], cst.Expr(cst.parse_expression(f"{scheduler}.step()"))))
    own = [s for s in lines if syntax.code(s.body[0]).startswith(f"{scheduler}.step(")]
    others = [s for s in _named(syntax, syntax.module, "step") if s not in own and syntax.body(s) is not None]
    others = [s for s in others if any(isinstance(above, cst.For | cst.While) for above in syntax.above(s))]
    for other in () if named else others:
        if not own:
            yield from filter(None, [syntax.inserted(other, f"{scheduler}.step()")])
        elif syntax.first(own[0]) < syntax.first(other) or not any(
            isinstance(above, cst.For | cst.While) for above in syntax.above(own[0])
        ):
            yield _both(syntax, own[0], other, False)


def without_surgery(text: str, place: Place) -> Iterator[str]:
    """Without the statement that takes groups or parameters away from the optimizer."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or not isinstance(statement, cst.SimpleStatementLine):
        return
    deletes = isinstance(statement.body[0], cst.Del | cst.Assign | cst.Expr)
    if deletes and any(n.attr.value == "param_groups" for n in syntax.inside(statement, cst.Attribute)):
        yield from filter(None, [syntax.without(statement)])


def without_inputs(text: str, place: Place) -> Iterator[str]:
    """`backward()` to everything, and not to some `inputs` alone."""
    syntax = of_text(text)
    if syntax is None:
        return
    for call in syntax.on_line(place, cst.Call):
        kept = [a for a in call.args if not (a.keyword is not None and a.keyword.value == "inputs")]
        if last_name(call.func) == "backward" and len(kept) < len(call.args):
            if kept:
                kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
            yield syntax.replaced((call, call.with_changes(args=kept)))


def written_to_value(text: str, place: Place) -> Iterator[str]:
    """`p.data = …` for `p.grad.data = …` or `p.grad = …`: what was computed is the parameter's new value."""
    syntax = of_text(text)
    if syntax is None:
        return
    for assign in syntax.on_line(place, cst.AssignTarget):
        match assign.target:
            case (
                cst.Attribute(
                    value=cst.Attribute(value=owner, attr=cst.Name(value="grad")), attr=cst.Name(value="data")
                )
                | cst.Attribute(value=owner, attr=cst.Name(value="grad"))
            ):
                yield syntax.replaced((assign.target, cst.Attribute(owner, cst.Name("data"))))
