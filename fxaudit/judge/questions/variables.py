"""Why what a variable of the program holds was not used: the tests that keep every use of it from running."""

from __future__ import annotations

import ast

from fxaudit.judge.questions.mentions import Unreached, decided
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import decision_at, source_at
from fxaudit.program.names import names_bound
from fxaudit.program.source import SourceLine, actual_path
from fxaudit.program.tree import obstacles, tree_of

__all__ = ["unused_variable"]


def unused_variable(audit: Audit, made: SourceLine | None) -> Unreached | None:
    """Why nothing used what is made at `made`: the test in front of the use; None where no test explains it.

    What holds the thing is looked for under the name that the statement gives it, in the same function. Printing or
    saving it is no use of it, and neither is binding the name anew.
    """
    tree = tree_of(actual_path(made.file)) if made is not None else None
    statement = tree.statement_at(made.line) if tree is not None and made is not None else None
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]) if tree is not None:
            ran = audit.record.ran().of(tree.file)
            scope = tree.function(statement) or tree.root
            for node in ast.walk(scope):
                if not isinstance(node, ast.Name) or node.id != name or node.lineno <= statement.lineno:
                    continue
                use = tree.statement(node)
                if use is None or isinstance(use, ast.Expr) or name in names_bound(use):
                    continue
                found = obstacles(tree, node, ran)
                if found:
                    here = source_at(tree.file, node.lineno)
                    decision = decision_at(audit.record, found[0])
                    if decision is not None:
                        return decided(audit, found[0], decision, here, made)
                    test = source_at(found[0].file, found[0].line)
                    return Unreached(test, [(here, "the use that never runs"), (made, "made here")], found[0].role)
    return None
