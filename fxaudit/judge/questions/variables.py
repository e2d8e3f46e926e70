"""Why what a variable of the program holds was not used: the tests that keep every use of it from running."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.capture.frozen import ModelRecord
from fxaudit.judge.questions.mentions import Unreached, decided
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import decision_at, source_at
from fxaudit.program.bindings import made_at
from fxaudit.program.names import names_bound
from fxaudit.program.source import SourceLine, actual_path
from fxaudit.program.tree import Tree, obstacles, tree_of

__all__ = ["unused_model", "unused_variable"]


def unused_variable(audit: Audit, made: SourceLine | None) -> Unreached | None:
    """Why nothing used what is made at `made`: the test in front of the use; None where no test explains it.

    What holds the thing is looked for under the name that the statement gives it, in the same function. Printing or
    saving it is no use of it, and neither is binding the name anew.
    """
    tree = tree_of(actual_path(made.file)) if made is not None else None
    statement = tree.statement_at(made.line) if tree is not None and made is not None else None
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]) if tree is not None:
            scope = tree.function(statement) or tree.root
            for node in ast.walk(scope):
                if not isinstance(node, ast.Name) or node.id != name or node.lineno <= statement.lineno:
                    continue
                use = tree.statement(node)
                if use is None or isinstance(use, ast.Expr) or name in names_bound(use):
                    continue
                unreached = _kept_from(audit, tree, node, made)
                if unreached is not None:
                    return unreached
    return None


def unused_model(audit: Audit, model: ModelRecord) -> Unreached:
    """Why nothing called what the program has as a whole model: the test in front of the use, under whatever name it
    was handed on; where no test explains it, where the model is made."""
    made = audit.source(made_at(audit.record.stacks, model.root.created))
    for tree, function, name in _names_of(audit, model, made):
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and node.id == name and isinstance(tree.parents.get(node), ast.Call):
                unreached = _kept_from(audit, tree, node, made)
                if unreached is not None:
                    return unreached
    return Unreached(made, [])


def _names_of(audit: Audit, model: ModelRecord, made: SourceLine | None) -> Iterator[tuple[Tree, ast.AST, str]]:
    """(tree, function, name) of the variables that were seen to hold the model."""
    course = audit.record.course
    sights = course.at(actual_path(made.file), made.line) if made is not None else []
    bound = [sight.bound.get(model.prefix.removesuffix(".")) for sight in sights]
    tokens = {seen.token for seen in bound if seen is not None} - {-1}
    found: dict[tuple[int, str], tuple[Tree, ast.AST, str]] = {}
    for sight in course.sights if tokens else ():
        for name, seen in sight.read.items():
            tree = tree_of(course.file_of(sight)) if seen.token in tokens and name.isidentifier() else None
            statement = tree.statement_at(sight.line) if tree is not None else None
            if tree is not None and statement is not None:
                function = tree.function(statement) or tree.root
                found.setdefault((id(function), name), (tree, function, name))
    yield from found.values()


def _kept_from(audit: Audit, tree: Tree, node: ast.Name, made: SourceLine | None) -> Unreached | None:
    """What keeps the use of a variable from running."""
    found = obstacles(tree, node, audit.record.ran().of(tree.file))
    if not found:
        return None
    here = source_at(tree.file, node.lineno)
    decision = decision_at(audit.record, found[0])
    if decision is not None and made is not None:
        return decided(audit, found[0], decision, here, made)
    test = source_at(found[0].file, found[0].line)
    return Unreached(test, [(here, "the use that never runs"), (made, "made here")], found[0].role)
