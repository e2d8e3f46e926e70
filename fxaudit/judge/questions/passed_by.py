"""The test by which a loop over names passed a parameter by, and the list that the test looks in."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.capture.registry import OptimizerInfo
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.evaluation import evaluated
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Tree, sliced_statements, tree_of

__all__ = ["passed_by"]

Lines = list[tuple[SourceLine | None, str]]


def passed_by(audit: Audit, states: list[ParameterState], info: OptimizerInfo) -> tuple[SourceLine, Lines] | None:
    """The line that says which names are left out, where a loop that fills the optimizer's groups goes on with the next
    name at all of `states`, and at nothing that the optimizer holds."""
    names = {state.local_name for state in states}
    held = {s.local_name for s in audit.states if any(index == info.index for index, _ in s.held)}
    for tree, loop, name in _loops(audit, info):
        for test in (node for node in ast.walk(loop) if isinstance(node, ast.If)):
            if not isinstance(test.body[-1], ast.Continue):
                continue
            passed = {
                str(evaluated(name, sight.read))
                for sight in audit.record.course.at(tree.file, test.lineno)
                if evaluated(test.test, sight.read) is True
            }
            if names <= passed and held.isdisjoint(passed):
                here = source_at(tree.file, test.lineno)
                listed = _listed(audit, test.test, names)
                if listed is not None:
                    return listed, [(here, "this test passes it by")]
                return here, []
    return None


def _loops(audit: Audit, info: OptimizerInfo) -> Iterator[tuple[Tree, ast.For, ast.Name]]:
    """The loops over names in the functions that put together what the optimizer got, with the variable of the name."""
    stacks = audit.record.stacks
    places = [(stacks.file(frame), stacks.line(frame)) for frame in stacks.chain(info.created)[:3]]
    places += [(file, line) for place in places for file, line, _ in sliced_statements(*place)]
    seen: set[ast.AST] = set()
    for file, line in places:
        tree = tree_of(file)
        statement = tree.statement_at(line) if tree is not None else None
        scope = (tree.function(statement) or tree.root) if tree is not None and statement is not None else None
        if tree is None or scope is None or scope in seen:
            continue
        seen.add(scope)
        for node in ast.walk(scope):
            match node:
                case ast.For(
                    target=ast.Tuple(elts=[ast.Name() as name, *_]),
                    iter=ast.Call(func=ast.Attribute(attr="named_parameters" | "named_modules" | "named_children")),
                ):
                    yield tree, node, name


def _listed(audit: Audit, test: ast.expr, names: set[str]) -> SourceLine | None:
    """The one place in the program at which all the names stand as texts, where the test looks them up somewhere."""
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.In):
        return None
    found = [
        source_at(file, min(part.lineno for part in parts))
        for file in audit.project_files
        if (tree := tree_of(file)) is not None
        for node in tree.nodes
        if isinstance(node, ast.Tuple | ast.List | ast.Set)
        and (parts := [e for e in node.elts if isinstance(e, ast.Constant) and e.value in names])
        and {part.value for part in parts} == names
    ]
    return found[0] if len(found) == 1 else None
