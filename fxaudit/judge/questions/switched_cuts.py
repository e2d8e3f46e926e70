"""Where gradient ends behind a flag: the setting that switches it is the line to edit."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

from fxaudit.answer.finding import Finding, Related
from fxaudit.judge.questions.births import born_at, unread_setting
from fxaudit.judge.questions.told_another import COUNT, told_another
from fxaudit.judge.rule import Audit, related_lines
from fxaudit.program.decisions import Decision, Decisions
from fxaudit.program.source import SourceLine, actual_path
from fxaudit.program.tree import Tree, tree_of

__all__ = ["with_switched_cut"]

CUTS = ("FXA104", "FXA105", "FXA106", "FXA107", "FXA108")
"""The rules whose culprit ends gradient where it stands."""
REGIONS = ("no_grad", "inference_mode")
TELLING = re.compile(
    r"(?:^|[^a-z])(detach|freez|frozen|stop|no_?grad|grad|hard|discret|train|(fine)?tun(e|ing)|learn|updat|fix|lock|infer|eval)"
)
"""What a flag is called that says itself that gradient ends, or that something trains: then its value is the mistake.
Behind any other (`save_memory`) the mistake is what the line does."""


def with_switched_cut(audit: Audit, finding: Finding) -> Finding:
    """The finding; where a flag that somebody set leads to the line at which gradient ends, with that setting."""
    line = finding.culprit
    if finding.code not in CUTS or finding.level == "note" or line is None or line.library:
        return finding
    tree = tree_of(actual_path(line.file))
    statement = tree.statement_at(line.line) if tree is not None else None
    if tree is None or statement is None:
        return finding
    decisions = [found for found in _decisions(audit, tree, statement, line) if found.birth is not None]
    told, compared = next(((told, one) for one in decisions if (told := told_another(audit.record, one))), ([], None))
    decision = compared or next(filter(_is_switched, decisions), None)
    if decision is None or decision.birth is None:
        return finding
    setting, stations = born_at(decision.birth)
    if told:
        (culprit, role), *more = told
        others = [*more, (line, "gradient ends here"), (setting, "what it is compared with gets its value here")]
        message = f"{finding.message}: {role}"
        return replace(finding, culprit=culprit, related=related_lines(culprit, others), fix=COUNT, message=message)
    test = SourceLine.at(decision.file, decision.line, line.function if decision.file == tree.file else "")
    related: list[tuple[SourceLine | None, str]] = [(line, "gradient ends here")]
    related += [(test, f"`{decision.text}` decides")] if decision.line != line.line else []
    related += [*stations, *((one.source, one.role) for one in finding.related)]
    fix = unread_setting(decision.birth) or (
        f"Give `{decision.operand}` another value here, or freeze the parameters with `requires_grad_(False)` if you "
        "meant it."
    )
    message = f"{finding.message}: `{decision.text}` decides"
    lines: tuple[Related, ...] = related_lines(setting, related)
    return replace(finding, culprit=setting, related=lines, fix=fix, message=message)


def _decisions(audit: Audit, tree: Tree, statement: ast.stmt, line: SourceLine) -> list[Decision]:
    """Why the tests around the line went the way to it, the innermost first."""
    decisions = Decisions(audit.record.course)
    found = (decisions.of(tree.file, at, test, outcome=outcome) for at, test, outcome in _tests(tree, statement, line))
    return [decision for decision in found if decision is not None]


def _tests(tree: Tree, statement: ast.stmt, line: SourceLine) -> Iterator[tuple[int, ast.expr, bool]]:
    """(line of the statement, test, what it gives where the line is come to) around the line in its own function."""
    for node in ast.walk(statement):
        if isinstance(node, ast.IfExp):
            for branch, other, outcome in ((node.body, node.orelse, True), (node.orelse, node.body, False)):
                if _holds(tree, branch, line) and not _holds(tree, other, line):
                    yield statement.lineno, node.test, outcome
    inner: ast.AST = statement
    for outer in tree.ancestors(statement):
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return
        if isinstance(outer, ast.If):
            yield outer.lineno, outer.test, inner in outer.body
        inner = outer


def _holds(tree: Tree, branch: ast.expr, line: SourceLine) -> bool:
    """Whether what is marked in the line stands in the branch; where nothing is, what switches gradients off."""
    if line.columns is None:
        return any(isinstance(node, ast.Attribute | ast.Name) and _called(node) in REGIONS for node in ast.walk(branch))
    statement = tree.statement_at(line.line)
    indent = statement.col_offset if statement is not None and statement.lineno == line.line else 0
    end = branch.end_col_offset or 0
    return branch.lineno == line.line and branch.col_offset <= line.columns[0] + indent < end


def _called(node: ast.Attribute | ast.Name) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id


def _is_switched(decision: Decision) -> bool:
    """Whether a flag, or a text that names a mode, was set somewhere and decides alone."""
    birth = decision.birth
    if birth is None or "training" in decision.operand:
        return False
    is_elsewhere = (birth.file, birth.line) != (decision.file, decision.line)
    if not birth.is_a_setting and not (is_elsewhere and isinstance(decision.value, bool)):
        return False
    if isinstance(decision.value, str):
        return TELLING.search(decision.value.lower()) is not None
    is_flag = isinstance(decision.value, bool | int) and not decision.is_compared
    return is_flag and TELLING.search(decision.operand.lower()) is not None
