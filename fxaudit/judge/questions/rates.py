"""Where a learning rate comes from. Shared by the rules on rates that are 0 or too small."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from fxaudit.capture.recording import Record
from fxaudit.capture.registry import OptimizerInfo
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_files, source_at
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Tree, call_sites, is_zero, sliced_statements, tree_of
from fxaudit.program.values import Origin, first_line, origins, results

__all__ = ["Rate", "given_rate", "schedule_origins", "stepped_outside", "written_rate"]


@dataclass(frozen=True, slots=True)
class Rate:
    """The expression that gives an optimizer its rate."""

    tree: Tree
    value: ast.expr
    line: int

    def rank(self, audit: Audit) -> int:
        """How well it explains a rate that is too small; less is better."""
        if is_zero(self.value):
            return 0
        found = [] if _computes(self.value) else origins(audit.project_files, self.tree, self.value)
        if any(is_zero(origin.value) and origin.is_direct for origin in found):
            return 1
        return 2 if any(isinstance(v, ast.BinOp) for v in (self.value, *(o.value for o in found))) else 3

    def explanation(self, audit: Audit) -> tuple[SourceLine, list[tuple[SourceLine | None, str]]]:
        """The line to edit, and what else the rate goes through as (line, role) pairs.

        Where the expression only hands on a name that is the 0 it goes back to, or else what computes the value.
        """
        here = source_at(self.tree.file, self.line)
        found = [] if is_zero(self.value) else origins(audit.project_files, self.tree, self.value)
        telling = [origin for origin in found if _computes(origin.value)]
        culprit = here
        if not _computes(self.value):
            zero = next((o for o in telling if is_zero(o.value) and o.is_direct), None)
            best = zero or (telling[0] if telling else None)
            culprit = source_at(best.file, best.line) if best is not None else here
        related: list[tuple[SourceLine | None, str]] = [(here, "the rate is set here")]
        related += [(source_at(o.file, o.line), f"`{o.name}` gets its value here") for o in telling]
        return culprit, related


def written_rate(record: Record, *, later: bool = False) -> Rate | None:
    """The last assignment to some `["lr"]` in the user's files: of those that ran, where all that ran is known.

    With `later` only what had not run when the recording ended counts.
    """
    found, ran = None, record.ran()
    for file in project_files(record):
        tree = tree_of(file)
        for node in tree.nodes if tree is not None else ():
            if isinstance(node, ast.Assign | ast.AugAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                has_run = node.lineno in ran.of(file) if later else not ran.of(file).certainly_not(node.lineno)
                if any(_is_rate(target) for target in targets) and has_run != later:
                    assert tree is not None
                    found = Rate(tree, node.value, node.lineno)
    return found


def given_rate(audit: Audit, info: OptimizerInfo) -> Rate | None:
    """The rate in the construction of the optimizer, or in the groups that were put together for it before.

    Of several, one that is 0, else one that goes back to a 0, else one that is computed.
    """
    if info.created < 0:
        return None
    stacks = audit.record.stacks
    places = [(stacks.file(frame), stacks.line(frame)) for frame in stacks.chain(info.created)[:2]]
    rates = [rate for file, line in places for rate in _rates_at(file, line)]
    rates += [r for file, line in places for f, at, _ in sliced_statements(file, line) for r in _rates_at(f, at)]
    ranks = [rate.rank(audit) for rate in rates]
    return rates[ranks.index(min(ranks))] if rates else None


def schedule_origins(audit: Audit, info: OptimizerInfo) -> list[tuple[SourceLine, str]]:
    """What makes the factor of the scheduler that is to blame: (line, role) pairs, a 0 and whole numbers first."""
    position = info.zeroed_by % len(info.schedulers)
    stack, kind = info.schedulers[position]
    stacks = audit.record.stacks
    found: list[Origin] = []
    for file, line in info.factors.get(position, ()):
        tree = tree_of(file)
        for node in tree.nodes if tree is not None else ():
            if tree is not None and isinstance(node, ast.Lambda | ast.FunctionDef) and first_line(node) == line:
                found += results(tree, node)
                found += [
                    o for result in results(tree, node) if result.value for o in _origins(audit, tree, result.value)
                ]
    for frame in stacks.chain(stack)[:1]:
        tree = tree_of(stacks.file(frame))
        statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
        for node in ast.walk(statement) if statement is not None else ():
            if isinstance(node, ast.Call) and ast.unparse(node.func).rsplit(".", 1)[-1] == kind:
                assert tree is not None
                given = [*node.args[1:], *(keyword.value for keyword in node.keywords)]
                found += [o for value in given for o in _origins(audit, tree, value) if _doubt(o.value) < 2]
    found.sort(key=lambda origin: _doubt(origin.value))
    return [(source_at(o.file, o.line), f"`{o.name}` gets its value here") for o in found]


def stepped_outside(audit: Audit, names: frozenset[str]) -> tuple[SourceLine, SourceLine] | None:
    """(the call of `step` of the scheduler with one of these names, or of what is called so, the inner loop) where it
    stands outside the loop in which the optimizer steps."""
    stacks = audit.record.stacks
    for tree, call in call_sites(audit.project_files, "step"):
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        name = getattr(owner, "attr", getattr(owner, "id", ""))
        if name not in names and not name.lower().startswith(("sched", "lr_sched")):
            continue
        for event in audit.record.steps():
            for frame in stacks.chain(event.stack):
                statement = tree.statement_at(stacks.line(frame)) if stacks.file(frame) == tree.file else None
                if statement is None or tree.function(statement) is not tree.function(call):
                    continue
                inner = [
                    *_rounds(statement),
                    *(n for n in tree.ancestors(statement) if isinstance(n, ast.For | ast.While)),
                ]
                outer = [node for node in tree.ancestors(call) if isinstance(node, ast.For | ast.While)]
                if len(inner) > len(outer) and inner[len(inner) - len(outer) :] == outer:
                    return source_at(tree.file, call.lineno), source_at(tree.file, inner[0].lineno)
    return None


def _rounds(statement: ast.stmt) -> list[ast.stmt | ast.expr]:
    """The comprehension that a statement gives to something: `losses = [self.training_step(b) for b in loader]`."""
    if not isinstance(statement, ast.Assign | ast.Expr | ast.Return | ast.AugAssign | ast.AnnAssign):
        return []
    kinds = ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp
    found: list[ast.stmt | ast.expr] = [node for node in ast.walk(statement) if isinstance(node, kinds)]
    return found[:1]


def _origins(audit: Audit, tree: Tree, value: ast.expr) -> list[Origin]:
    return [origin for origin in origins(audit.project_files, tree, value) if _computes(origin.value)]


def _doubt(value: ast.expr | None) -> int:
    """How likely an expression gives 0; less is likelier."""
    if value is None or is_zero(value):
        return 0
    whole = any(
        (isinstance(n, ast.BinOp) and isinstance(n.op, ast.FloorDiv))
        or (isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id in ("int", "round"))
        for n in ast.walk(value)
    )
    return 1 if whole else 2


def _rates_at(file: str, line: int) -> Iterator[Rate]:
    """The entries `"lr": …` and keywords `lr=…` of the statement at `line`."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    if tree is None or statement is None or isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return
    for node in ast.walk(statement):
        match node:
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "lr":
                        yield Rate(tree, value, key.lineno)
            case ast.keyword(arg="lr", value=value):
                yield Rate(tree, value, value.lineno)


def _is_rate(target: ast.expr) -> bool:
    return isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant) and target.slice.value == "lr"


def _computes(value: ast.AST | None) -> bool:
    """Whether an expression is more than a name, an attribute, an entry, or a conversion of one."""
    match value:
        case ast.Call(func=ast.Name(id="float"), args=[inner]):
            return _computes(inner)
    return not isinstance(value, ast.Name | ast.Attribute | ast.Subscript)
