"""Copies of a model's parameters that an optimizer steps, and that nobody writes back into the model."""

from __future__ import annotations

import ast

from fxaudit.capture import operations
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import was_entered, why_never_called
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import tree_of

__all__ = ["copied_parameters", "never_written_back"]

Lines = list[tuple[SourceLine | None, str]]


def copied_parameters(audit: Audit, states: list[ParameterState]) -> list[ParameterState]:
    """The parameters of models that the tensors are copies of, one for each; empty where some is no copy, or is never
    changed by a step."""
    record = audit.record
    own = {state.index: state for state in audit.states if state.root is not None}
    found = []
    for state in states:
        if not any(fact.changed for fact in state.facts):
            return []  # the copy of a whole model, say, that no gradient comes to
        made = record.values[state.track.values[0]].op if state.track.values else -1
        while made >= 0:
            op = record.ops[made]
            operation = operations.of(op.name)
            source = record.values[op.inputs[0]] if op.inputs else None
            if source is None or not (operation.copies or operation.detaches or operation.rewraps):
                return []
            if source.track in own:
                found.append(own[source.track])
                break
            made = source.op
        else:
            return []
    return found


def never_written_back(audit: Audit) -> Lines:
    """What keeps the function of the program that copies tensors into others from being called; empty where there is
    none, or it ran."""
    ran = audit.record.ran()
    for file in audit.project_files:
        tree = tree_of(file)
        for function in tree.statements if tree is not None else ():
            if tree is None or not isinstance(function, ast.FunctionDef) or was_entered(tree, function, ran):
                continue
            calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
            if any(isinstance(called, ast.Attribute) and called.attr == "copy_" for called in calls):
                why: Lines = [*why_never_called(audit.record, function.name)]
                if why:  # the branch that forgets it comes before the setting that chose the branch
                    return sorted(why, key=lambda told: told[1].endswith("from here"))
    return []
