"""The test by which a loop over names passed a parameter by, and the list that the test looks in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from fxaudit.capture.registry import OptimizerInfo
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.course import Sight
from fxaudit.program.evaluation import evaluated
from fxaudit.program.plain import lineage_of
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Tree, call_sites, sliced_statements, tree_of
from fxaudit.program.values import sources

__all__ = ["of_no_kind", "passed_by", "remembered"]

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
                if _holds(test.test, sight)
            }
            if names <= passed and held.isdisjoint(passed):
                here = source_at(tree.file, test.lineno)
                listed = _listed(audit, test.test, names, info)
                if listed is not None:
                    return listed, [(here, "this test passes it by")]
                return here, []
    return None


def _holds(test: ast.expr, sight: Sight) -> bool:
    """Whether the test was seen to hold: of `a or b` by either of them, whatever the other one was."""
    parts = test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or) else [test]
    return any(evaluated(part, sight.read) is True for part in parts)


def of_no_kind(audit: Audit, states: list[ParameterState], info: OptimizerInfo) -> tuple[SourceLine, Lines] | None:
    """The kinds of modules that a loop which fills the optimizer's groups asks for, where none is that of `states`, and
    what it holds is of them: the line that lists them.

    The loop may fill another optimizer as well, which holds what is of these kinds; then one of them has to be like the
    kind that is missing, for something else decides what this one gets.
    """
    kinds = {state.module_type.rpartition(".")[2] for state in states}
    if not kinds or "" in kinds:
        return None
    for tree, loop, _ in _loops(audit, info):
        part = _part_gone_through(loop)
        if part and not all(part in state.local_name.split(".") for state in states):
            continue  # it does not come to them
        asked: dict[str, tuple[SourceLine, SourceLine]] = {}
        falls_through: set[str] = set()
        for node in ast.walk(loop):
            match node:
                case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(), wanted]):
                    test = source_at(tree.file, node.lineno)
                    for where, name in _classes(audit, tree, wanted):
                        asked.setdefault(name, (where, test))
                        falls_through |= {name} if _has_no_rest(tree, node) else set()
        alike = [place for name, place in asked.items() if any(_words(name) & _words(kind) for kind in kinds)]
        is_near = any(_words(name) & _words(kind) for name in falls_through for kind in kinds)
        is_of_both = is_near and not falls_through.isdisjoint(_held_beside(audit, tree, loop, info))
        is_of_both = is_of_both and not any(falls_through & {*lineage_of(audit.project_files, kind)} for kind in kinds)
        if asked and kinds.isdisjoint(asked) and (not _held_by(audit, info).isdisjoint(asked) or is_of_both):
            places = [*asked.values()]
            is_in_branches = all(where == tested for where, tested in places)
            # Behind the last branch another one belongs; of several lists that with the most similar kind.
            listed, test = places[-1] if is_in_branches else (alike or places)[0]
            told: Lines = [(test, f"asked here, and {_among(kinds)} is none of these")]
            return (listed, told) if listed != test else (test, [])
    return None


def _held_by(audit: Audit, info: OptimizerInfo) -> set[str]:
    """The kinds of the modules whose parameters the optimizer holds."""
    held = (state for state in audit.states if any(index == info.index for index, _ in state.held))
    return {state.module_type.rpartition(".")[2] for state in held}


def _held_beside(audit: Audit, tree: Tree, loop: ast.For, info: OptimizerInfo) -> set[str]:
    """The kinds that other optimizers hold, which are built in the function of the loop as this one is."""
    found: set[str] = set()
    scope, stacks = tree.function(loop), audit.record.stacks
    for other in audit.recording.optimizers:
        for frame in stacks.chain(other.created)[:1] if other.index != info.index and scope is not None else ():
            statement = tree.statement_at(stacks.line(frame)) if stacks.file(frame) == tree.file else None
            if statement is not None and tree.function(statement) is scope:
                found |= _held_by(audit, other)
    return found


def _has_no_rest(tree: Tree, asked: ast.expr) -> bool:
    """Whether a question is all of the test of a branch, another one follows for the rest, and what fails them all goes
    on to nothing."""
    branch = tree.parents.get(asked)
    if not isinstance(branch, ast.If) or branch.test is not asked or not branch.orelse:
        return False
    while isinstance(branch, ast.If) and branch.orelse:
        branch = branch.orelse[0] if len(branch.orelse) == 1 and not _jumps(branch) else None
    return isinstance(branch, ast.If) and not _jumps(branch)


def _jumps(branch: ast.If) -> bool:
    return isinstance(branch.body[-1], ast.Continue | ast.Break | ast.Return)


def _words(name: str) -> set[str]:
    """The words that a class is called by: `RMS` and `Norm` of `RMSNorm`."""
    return set(re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z][a-z]+|[A-Z]+|[a-z]+", name))


def _part_gone_through(loop: ast.For) -> str:
    """`encoder` of a loop through `net.encoder.named_modules()`; "" where it goes through a whole model."""
    match loop.iter:
        case ast.Call(func=ast.Attribute(value=ast.Attribute(value=ast.Name(id=owner), attr=part))) if owner != "self":
            return part
    return ""


def _among(kinds: set[str]) -> str:
    return " or ".join(f"`{kind}`" for kind in sorted(kinds))


def _classes(audit: Audit, tree: Tree, wanted: ast.expr | None) -> Iterator[tuple[SourceLine, str]]:
    """The classes in the second argument of an `isinstance`, each with the line on which it is listed."""
    match wanted:
        case ast.Tuple(elts=parts):
            for part in parts:
                yield from _classes(audit, tree, part)
        case ast.Attribute(attr=name):
            yield source_at(tree.file, wanted.lineno), name
        case ast.Name(id=name):
            listed = [(t, o) for t, o in sources(audit.project_files, tree, wanted) if isinstance(o.value, ast.Tuple)]
            for other, origin in listed:
                yield from _classes(audit, other, origin.value)
            if not listed:
                yield source_at(tree.file, wanted.lineno), name


def remembered(audit: Audit, info: OptimizerInfo) -> tuple[SourceLine, Lines] | None:
    """The default of a function that the optimizer's groups come from, where it is a container that the function fills:
    what an earlier call put into it is still there."""
    stacks = audit.record.stacks
    for frame in stacks.chain(info.created)[:3]:
        file, line = stacks.file(frame), stacks.line(frame)
        tree = tree_of(file)
        statement = tree.statement_at(line) if tree is not None else None
        called = {
            getattr(node.func, "attr", getattr(node.func, "id", ""))
            for node in (ast.walk(statement) if statement is not None else ())
            if isinstance(node, ast.Call)
        }
        for owner in filter(None, map(tree_of, audit.project_files)):
            for function in owner.statements:
                if isinstance(function, ast.FunctionDef) and function.name in called and _keeps_a_default(function):
                    calls = [source_at(t.file, c.lineno) for t, c in call_sites(audit.project_files, function.name)]
                    told: Lines = [(call, "called here, with the same container") for call in calls if len(calls) > 1]
                    if told:
                        return source_at(owner.file, function.lineno), told[:3]
    return None


def _keeps_a_default(function: ast.FunctionDef) -> bool:
    """Whether the function fills, and asks, a container that is the default of one of its arguments."""
    plain = [*function.args.posonlyargs, *function.args.args]
    pairs = list(zip(plain[len(plain) - len(function.args.defaults) :], function.args.defaults, strict=True))
    pairs += [(a, d) for a, d in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True) if d is not None]
    for argument, default in pairs:
        is_container = isinstance(default, ast.List | ast.Dict | ast.Set) or (
            isinstance(default, ast.Call) and getattr(default.func, "id", "") in ("set", "list", "dict")
        )
        uses = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == argument.arg]
        text = ast.unparse(function)
        is_filled = any(f"{argument.arg}.{method}(" in text for method in ("add", "append", "update", "setdefault"))
        is_asked = f" in {argument.arg}" in text
        if is_container and is_filled and is_asked and len(uses) > 1:
            return True
    return False


def _loops(audit: Audit, info: OptimizerInfo) -> Iterator[tuple[Tree, ast.For, ast.Name]]:
    """The loops over names, or modules, in the functions that put together what the optimizer got, with the variable of
    the name, or the module."""
    for tree, scope in _scopes(audit, info):
        for node in ast.walk(scope):
            match node:
                case (
                    ast.For(
                        target=ast.Tuple(elts=[ast.Name() as name, *_]),
                        iter=ast.Call(func=ast.Attribute(attr="named_parameters" | "named_modules" | "named_children")),
                    )
                    | ast.For(target=ast.Name() as name, iter=ast.Call(func=ast.Attribute(attr="modules" | "children")))
                ):
                    yield tree, node, name


def _scopes(audit: Audit, info: OptimizerInfo) -> Iterator[tuple[Tree, ast.AST]]:
    """The functions in which the optimizer is built, and those that its statement calls, each once."""
    stacks = audit.record.stacks
    places = [(stacks.file(frame), stacks.line(frame)) for frame in stacks.chain(info.created)[:3]]
    places += [(file, line) for place in places for file, line, _ in sliced_statements(*place)]
    seen: set[ast.AST] = set()
    for position, (file, line) in enumerate(places):
        tree = tree_of(file)
        statement = tree.statement_at(line) if tree is not None else None
        if tree is None or statement is None:
            continue
        around: list[tuple[Tree, ast.AST]] = [(tree, tree.function(statement) or tree.root)]
        around += _called_in(audit, statement) if position == 0 else []
        for where, scope in around:
            if scope not in seen:
                seen.add(scope)
                yield where, scope


def _called_in(audit: Audit, statement: ast.stmt) -> list[tuple[Tree, ast.AST]]:
    """The functions of the program that a statement calls by their names."""
    calls = (node.func for node in ast.walk(statement) if isinstance(node, ast.Call))
    names = {getattr(called, "attr", getattr(called, "id", "")) for called in calls}
    return [
        (tree, node)
        for tree in filter(None, map(tree_of, audit.project_files))
        for node in tree.statements
        if isinstance(node, ast.FunctionDef) and node.name in names
    ]


def _listed(audit: Audit, test: ast.expr, names: set[str], info: OptimizerInfo) -> SourceLine | None:
    """The one place in the program at which all the names stand as texts, where the test looks them up somewhere; not
    what is listed for an option of the groups: `no_weight_decay` is for a group of its own."""
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.In):
        return None
    found = [
        (tree, node, source_at(tree.file, min(part.lineno for part in parts)))
        for tree in filter(None, map(tree_of, audit.project_files))
        for node in tree.nodes
        if isinstance(node, ast.Tuple | ast.List | ast.Set)
        and (parts := [e for e in node.elts if isinstance(e, ast.Constant) and e.value in names])
        and {part.value for part in parts} == names
    ]
    if len(found) != 1:
        return None
    ((tree, node, line),) = found
    return line if len(info.groups) < 2 or info.settings.isdisjoint(_options(tree, node)) else None


def _options(tree: Tree, node: ast.AST) -> set[str]:
    """The options after which the list may be called: `weight_decay`, of `no_weight_decay`."""
    names = [getattr(outer, "name", "") for outer in [tree.function(node)] if outer is not None]
    statement = tree.statement(node)
    if isinstance(statement, ast.Assign):
        names += [getattr(target, "id", getattr(target, "attr", "")) for target in statement.targets]
    words = [name.lower().strip("_").split("_") for name in names]
    return {"_".join(part[start:]) for part in words for start in range(len(part))}
