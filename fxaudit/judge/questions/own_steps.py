"""What the `step` of an optimizer of the user's own does, or fails to do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from fxaudit.capture import operations
from fxaudit.capture.frozen import OwnStep
from fxaudit.capture.recording import Op, Track
from fxaudit.judge.questions.idle_writes import IdleWrite, idle_write, lines_about, unwritten
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.gradients import updates_by_hand
from fxaudit.program.ran import RanLines
from fxaudit.program.source import SourceLine, read_source
from fxaudit.program.tree import Tree, is_zero, obstacles, tree_of
from fxaudit.program.values import origins

__all__ = ["Idle", "idle_step", "idle_update"]

Lines = list[tuple[SourceLine | None, str]]


@dataclass(frozen=True, slots=True)
class Idle:
    """Why the step changes nothing: in words with `{}` for the parameters, the line to edit, and others."""

    words: str
    culprit: SourceLine
    related: Lines
    fix: str


def idle_step(audit: Audit, state: ParameterState) -> Idle | None:
    """Why the step of the class that stepped `state` last, where that is the user's own, changes nothing."""
    optimizer = state.facts[-1].optimizer
    step = audit.recording.own_steps.get(optimizer)
    seen = _seen(audit, state, step) if step is not None else None
    if seen is not None:
        return seen
    kind = audit.recording.optimizers[optimizer].type
    is_zero = any(fact.gradient == "zero" for fact in state.facts)
    for file in audit.project_files:
        tree = tree_of(file)
        for node in tree.nodes if tree is not None else ():
            if tree is not None and isinstance(node, ast.ClassDef) and node.name == kind and not is_zero:
                return _unrun(audit, state, tree, node) or _write_of_nothing(audit, tree, node) or _silent(tree, node)
    return None


def _seen(audit: Audit, state: ParameterState, step: OwnStep) -> Idle | None:
    """What a recorded step did to the parameter that came to nothing."""
    track = step.tracks.get(state.index)
    if track is None:
        return None
    ops, record = step.record.ops, step.record
    found = idle_write(audit.project_files, record, track, ops)
    if found is None and not any(set(track.values) & set(op.mutates) for op in ops):
        passed = _passed_over(audit, step, track, audit.recording.optimizers[state.facts[-1].optimizer].type)
        if passed is not None:
            return passed
        found = unwritten(record, track, ops, by_hand=False)
    return in_words(audit, found, "the step") if found is not None else None


def idle_update(audit: Audit, state: ParameterState) -> Idle | None:
    """The same for what the program does by hand, without any optimizer, between its last backward and the next."""
    events = audit.graph.backwards
    if len(events) < 2:
        return _update_never_run(audit)
    ops, written = _last_update(audit)
    found = idle_write(audit.project_files, audit.record, state.track, ops)
    found = found or unwritten(audit.record, state.track, ops, by_hand=True)
    if found is not None:
        return in_words(audit, found, "the update by hand")
    return _left_early(audit, written) or _update_never_run(audit)


def _last_update(audit: Audit) -> tuple[list[Op], list[Op]]:
    """What ran outside of modules between the last two backwards between which parameters were written by hand, and
    those of them that write; between the last two of all where there is no such thing."""
    own = {vid for state in audit.states for vid in state.track.values}
    times = [event.time for event in audit.graph.backwards]
    ran = [op for op in audit.graph.ops if op.module < 0]
    for start, end in zip(times[-2::-1], times[:0:-1], strict=True):
        ops = [op for op in ran if start <= op.index < end]
        writes = [op for op in ops if own & set(op.mutates) and not operations.of(op.name).bookkeeping]
        if writes:
            return ops, writes
    return [op for op in ran if times[-2] <= op.index < times[-1]], []


def _left_early(audit: Audit, written: list[Op]) -> Idle | None:
    """The way out that was taken from a loop in which other parameters were written by hand."""
    stacks = audit.record.stacks
    for place in dict.fromkeys((stacks.file(op.stack), stacks.line(op.stack)) for op in written):
        tree = tree_of(place[0])
        write = tree.statement_at(place[1]) if tree is not None else None
        loop = next((n for n in tree.ancestors(write) if isinstance(n, ast.For)), None) if tree and write else None
        ran = audit.record.ran().of(place[0])
        for branch in loop.body if loop is not None else ():
            if tree is None or write is None or not isinstance(branch, ast.If) or branch.lineno > write.lineno:
                continue
            ends = [s for s in branch.body if isinstance(s, ast.Break | ast.Return) and s.lineno in ran]
            if ends:
                left = _left(tree, tree.text(branch.test), branch.lineno, ends[0].lineno, write.lineno)
                return replace(left, words=left.words.replace("the step", "the update by hand", 1))
    return None


def _update_never_run(audit: Audit) -> Idle | None:
    """What keeps the only statements from running that write into a parameter what they compute from its gradient."""
    for tree, write in updates_by_hand(audit.project_files):
        ran = audit.record.ran().of(tree.file)
        if write.lineno in ran:
            return None
        found = obstacles(tree, write, ran)
        if found and not _is_method(tree, write):
            related: Lines = [(source_at(tree.file, write.lineno), "the update that never runs")]
            words = f"the update by hand never comes to {{}}: {found[0].role}"
            return Idle(words, source_at(found[0].file, found[0].line), related, "Let the update run for all of them.")
    return None


def _is_method(tree: Tree, node: ast.AST) -> bool:
    function = tree.function(node)
    return function is not None and isinstance(tree.parents.get(function), ast.ClassDef)


def in_words(audit: Audit, found: IdleWrite, subject: str) -> Idle | None:
    """What was found, as it is told."""
    source, write = audit.source(found.stack), audit.source(found.write)
    if source is None:
        return None
    match found.kind:
        case "restored":
            words, role = f"{subject} writes {{}} anew, and then puts the old value back", "what it undoes"
            fix = "Write the old value back only where the new one is not wanted."
        case "copy":
            words, role = f"{subject} writes into a copy of {{}}, which is dropped", "written here"
            fix = "Write into the parameter itself, under `torch.no_grad()`, or copy the result back into it."
        case "outside":
            words, role = f"{subject} works on a copy of {{}} outside torch, and brings nothing back", ""
            fix = "Write the result back into the parameter: `p.data.copy_(torch.from_numpy(…))`."
        case "gradient":
            words, role = f"{subject} writes the new value of {{}} into its gradient", ""
            fix = "Write into the parameter: `p.data.copy_(…)` or `p.add_(…)` under `torch.no_grad()`."
        case "unwritten":
            words, role = f"{subject} computes a new value for {{}}, and writes it nowhere", ""
            fix = "Write into the parameter: `p.data.copy_(…)` or `p.add_(…)` under `torch.no_grad()`."
        case "zero":
            words, role = f"{subject} writes {{}} anew without a change: a factor of the update is 0", "written here"
            fix = "Let the factor be what it was meant to be."
    related: Lines = [(write, role)] if write is not None and write != source else []
    factor = found.factor
    if factor is None:
        return Idle(words, source, related, fix)
    culprit = source_at(factor.file, factor.line)
    related = [(source_at(file, line), what) for file, line, what in factor.stations] + related
    if (source.file, source.line) not in {(culprit.file, culprit.line), *((s.file, s.line) for s, _ in related if s)}:
        related.append((source, "multiplied here"))
    words = words.replace("a factor of the update is 0", f"the factor `{factor.text}` of the update is 0")
    return Idle(words, culprit, related, fix)


def _passed_over(audit: Audit, step: OwnStep, track: Track, kind: str) -> Idle | None:
    """The branch by which a recorded step goes on to the next parameter before it writes into this one, or the loop
    that does not come to it."""
    ran = RanLines(lines_about(step.record, track, step.record.ops, step.tracks.values()))
    for file in audit.project_files:
        tree = tree_of(file)
        for node in tree.nodes if tree is not None else ():
            if tree is not None and isinstance(node, ast.ClassDef) and node.name == kind:
                if ran:
                    return _unreached(tree, node, ran)
                return _left_out(tree, node, audit.record.ran().of(file))
    return None


def _left_out(tree: Tree, kind: ast.ClassDef, ran: set[int]) -> Idle | None:
    """What ends the innermost loop around a write that ran for others, or the loop itself."""
    for write in _writes(kind):
        loop = next((node for node in tree.ancestors(write) if isinstance(node, ast.For)), None)
        if loop is None or write.lineno not in ran:
            continue
        for branch in loop.body:
            ends = (
                [s for s in branch.body if isinstance(s, ast.Break | ast.Return)] if isinstance(branch, ast.If) else []
            )
            if ends and isinstance(branch, ast.If):
                return _left(tree, tree.text(branch.test), branch.lineno, ends[0].lineno, write.lineno)
        return Idle(
            f"the step never comes to {{}}: the loop over `{tree.text(loop.iter)}` passes it over",
            source_at(tree.file, loop.lineno),
            [(source_at(tree.file, write.lineno), "written here")],
            "Go through all parameters of all groups.",
        )
    return None


def _left(tree: Tree, condition: str, branch: int, jump: int, write: int) -> Idle:
    """A step that is left, or goes on, before the write: a `continue` there is right, where its condition is."""
    at, text = source_at(tree.file, branch), read_source(tree.file)[jump - 1].strip()
    goes_on = text.startswith("continue")
    here = source_at(tree.file, jump)
    return Idle(
        f"the step never comes to what writes into {{}}: it is left where `{condition}`",
        at if goes_on else here,
        [
            (here, "here it is left") if goes_on else (at, "asked here"),
            (source_at(tree.file, write), "the write that never runs"),
        ],
        "Pass over what has no gradient with `continue`, and write into all the others.",
    )


def _unrun(audit: Audit, state: ParameterState, tree: Tree, kind: ast.ClassDef) -> Idle | None:
    """What the text of the step says of a value that is not written; nothing where a step was seen to write it."""
    step = audit.recording.own_steps.get(state.facts[-1].optimizer)
    track = step.tracks.get(state.index) if step is not None else None
    if step is not None and track is not None and any(set(track.values) & set(op.mutates) for op in step.record.ops):
        return None
    return _rebinding(tree, kind) or _unreached_write(audit, tree, kind)


def _methods(kind: ast.ClassDef) -> Iterator[ast.FunctionDef]:
    for member in kind.body:
        if isinstance(member, ast.FunctionDef) and member.name != "__init__":
            yield member


def _rebinding(tree: Tree, kind: ast.ClassDef) -> Idle | None:
    """The statement of `step` that puts the new value into a local name."""
    for step in (method for method in _methods(kind) if method.name == "step"):
        for inner in ast.walk(step):
            if isinstance(inner, ast.Assign) and all(isinstance(t, ast.Name) for t in inner.targets):
                names = {n.id for n in ast.walk(inner.value) if isinstance(n, ast.Name)}
                grads = any(isinstance(n, ast.Attribute) and n.attr == "grad" for n in ast.walk(inner.value))
                targets = {t.id for t in inner.targets if isinstance(t, ast.Name)}
                if isinstance(inner.value, ast.BinOp) and (grads or names & targets):
                    return Idle(
                        "the step computes a new value for {}, and writes it nowhere",
                        source_at(tree.file, inner.lineno),
                        [],
                        "Write into the parameter: `p.data.copy_(…)` or `p.add_(…)` under `torch.no_grad()`.",
                    )
    return None


def _unreached_write(audit: Audit, tree: Tree, kind: ast.ClassDef) -> Idle | None:
    """What keeps every statement that would write into a parameter from running."""
    return _unreached(tree, kind, audit.record.ran().of(tree.file))


def _unreached(tree: Tree, kind: ast.ClassDef, ran: RanLines) -> Idle | None:
    writes = list(_writes(kind))
    if not writes or not ran & {line for m in _methods(kind) for line in range(m.lineno, (m.end_lineno or 0) + 1)}:
        return None
    if any(set(range(write.lineno, (write.end_lineno or write.lineno) + 1)) & ran for write in writes):
        return None
    for write in writes:
        method = tree.function(write)
        if isinstance(method, ast.FunctionDef) and not ran & set(range(method.lineno, (method.end_lineno or 0) + 1)):
            continue  # nobody calls it, or what it does is not seen
        found = obstacles(tree, write, ran)
        if found and found[0].jump:
            return _left(tree, found[0].condition, found[0].line, found[0].jump, write.lineno)
        if found:
            return Idle(
                f"the step never comes to what writes into {{}}: {found[0].role}",
                source_at(tree.file, found[0].line),
                [(source_at(tree.file, write.lineno), "the write that never runs")],
                "Let the write run for every parameter that has a gradient.",
            )
    return None


def _write_of_nothing(audit: Audit, tree: Tree, kind: ast.ClassDef) -> Idle | None:
    """The 0 that a factor of the written update goes back to."""
    for write in _writes(kind):
        found = origins(audit.project_files, tree, write)
        zero = next((o for o in found if o.is_unconditional and is_zero(o.value)), None)
        if zero is not None:
            behind = [(source_at(o.file, o.line), f"`{o.name}` gets its value here") for o in found if o is not zero]
            return Idle(
                "the step writes {} anew without a change: a factor of the update is 0",
                source_at(zero.file, zero.line),
                [(source_at(tree.file, write.lineno), "written here"), *behind],
                "Give the factor its value once, where the state is set up.",
            )
    return None


def _silent(tree: Tree, kind: ast.ClassDef) -> Idle | None:
    """The head of a `step` that does not call the one it inherits."""
    for step in _methods(kind):
        if step.name == "step" and not _calls_a_step(step):
            return Idle(
                "the step leaves {} unchanged, in spite of a gradient",
                source_at(tree.file, step.lineno, f"{kind.name}.step"),
                [],
                "Write into the parameters there, or call the step that the class inherits.",
            )
    return None


def _writes(kind: ast.ClassDef) -> Iterator[ast.stmt]:
    """The statements of an optimizer that write into a parameter, by what they name."""
    for method in _methods(kind):
        names = _parameters(method)
        for node in ast.walk(method):
            match node:
                case ast.Expr(value=ast.Call(func=ast.Attribute(value=written, attr=name))) if (
                    name.endswith("_") and not name.endswith("__") and _root(written) in names
                ):
                    yield node
                case ast.AugAssign(target=target) | ast.Assign(targets=[ast.Attribute(attr="data") as target]) if (
                    _root(target) in names
                ):
                    yield node


def _parameters(method: ast.FunctionDef) -> set[str]:
    """The variables of a method whose `.grad` is read, or that go through something called `params`."""
    found = {
        node.value.id
        for node in ast.walk(method)
        if isinstance(node, ast.Attribute) and node.attr == "grad" and isinstance(node.value, ast.Name)
    }
    for node in ast.walk(method):
        if isinstance(node, ast.For) and "param" in ast.unparse(node.iter) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return found


def _root(written: ast.expr) -> str:
    """`p` of `p` and of `p.data`."""
    match written:
        case ast.Name(id=name) | ast.Attribute(value=ast.Name(id=name), attr="data"):
            return name
    return ""


def _calls_a_step(function: ast.FunctionDef) -> bool:
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "step"
        for node in ast.walk(function)
    )
