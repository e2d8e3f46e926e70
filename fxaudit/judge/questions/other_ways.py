"""Another way to use a part of a model that no step took: a call behind a test that always went the other way."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from fxaudit.capture.recording import Record
from fxaudit.judge.graph import Cut
from fxaudit.judge.questions.never_set import never_set
from fxaudit.judge.questions.passed_down import not_passed_down
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import blamed, decision_at, project_files, project_stack, source_at, was_entered
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Tree, call_sites, obstacles

__all__ = ["calls_not_taken", "other_way"]

OFF = ("no_grad", "inference_mode", "set_grad_enabled(False")


def other_way(audit: Audit, states: Sequence[ParameterState]) -> list[tuple[SourceLine, str]]:
    """What keeps a call from running that would use the same part of the model with gradients: (line, role) pairs."""
    record = audit.record
    found_in = _reading_functions(audit, states)
    for tree, call in calls_not_taken(record, [state.local_name for state in states], found_in):
        found = obstacles(tree, call, record.ran().of(tree.file))
        decision = decision_at(record, found[0]) if found else None
        if decision is not None:
            told = [(source_at(tree.file, found[0].line), found[0].role)]
            told.append((source_at(tree.file, call.lineno), "this call never runs"))
            return [*(never_set(record, decision) or not_passed_down(audit, decision)), *blamed(decision, told)]
    return []


def _reading_functions(audit: Audit, states: Sequence[ParameterState]) -> frozenset[str]:
    """The names of the methods, other than `forward`, in which gradient to the parameters ends where they are read."""
    stacks, found = audit.record.stacks, set[str]()
    for state in states:
        cut = audit.cause(state)
        op = audit.record.ops[cut.op] if isinstance(cut, Cut) else None
        if op is not None and set(op.inputs) & set(state.track.values):
            found.add(stacks.function(project_stack(stacks, op.stack)).rpartition(".")[2])
    return frozenset(name for name in found if name.isidentifier()) - {"forward"}


def calls_not_taken(
    record: Record, names: Sequence[str], functions: frozenset[str] = frozenset()
) -> Iterator[tuple[Tree, ast.Call]]:
    """The calls that did not run, in functions of which something ran, of the modules that all these parameters are
    in, and of the functions of these names; not those in regions without gradients."""
    parts = [name.split(".")[:-1] for name in names]
    common = {part for part in parts[0] if all(part in other for other in parts)} if parts else set()
    ran, files = record.ran(), project_files(record)
    for part in sorted({part for part in common if part.isidentifier()} | functions):
        for tree, call in call_sites(files, part):
            scope = tree.function(call)
            entered = scope is None or was_entered(tree, scope, ran)
            if entered and call.lineno not in ran.of(tree.file) and not _is_off(tree, call):
                yield tree, call


def _is_off(tree: Tree, call: ast.Call) -> bool:
    """Whether the call stands in a block, or in a function, that switches gradients off."""
    for outer in tree.ancestors(call):
        texts: list[ast.expr] = []
        if isinstance(outer, ast.With):
            texts = [item.context_expr for item in outer.items]
        elif isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
            texts = outer.decorator_list
        if any(word in ast.unparse(text) for text in texts for word in OFF):
            return True
    return False
