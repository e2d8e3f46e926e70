"""Modules and parameters that the one batch which was seen left unread, where the batch decides what is read."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.judge.batch import Batch, Places
from fxaudit.judge.questions.mentions import is_missed, mentions
from fxaudit.judge.questions.uncalled import topmost_uncalled, used_paths
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import obstacles_to_entering, was_entered
from fxaudit.program.deciders import decider_at, deciders, named_again, reading_kind
from fxaudit.program.loops import loop_over
from fxaudit.program.tree import Tree, call_sites, draws_at_random, obstacles
from fxaudit.program.values import reads, sources

__all__ = ["settle_starved"]

MAX_CALLERS = 2
MAX_SOURCES = 40

Decider = tuple[Tree, ast.expr]


def settle_starved(audit: Audit) -> None:
    """Make `unknown` of what the batch, not the program, kept the only forward from reaching."""
    if audit.judge.looped or audit.recording.batch_began < 0 or audit.recording.forward_unseen:
        return
    missed = [
        state
        for state in audit.having("unreachable")
        if state.root is not None and not audit.graph.is_read(state.index) and is_missed(audit, state)
    ]
    known = {model.root.index for model in audit.recording.models}
    used: dict[int, set[str]] = {}
    reasons: dict[tuple[int, str], str] = {}
    for state in missed:
        assert state.root is not None
        root = state.root.index
        if root not in known:
            continue
        if root not in used:
            used[root] = used_paths(audit, root)
        path = topmost_uncalled(state, used[root]) or state.local_name
        if (root, path) not in reasons:
            reasons[root, path] = _passed_over(audit, root, path)
        if reasons[root, path]:
            state.verdict, state.reason, state.is_starved = "unknown", reasons[root, path], True


def _passed_over(audit: Audit, root: int, path: str) -> str:
    """Why another batch may reach what stands at `path`; "" where the program itself passes it over."""
    given = _Given(audit.judge.batch, audit.project_files, all(call.training for call in audit.record.calls))
    for tree, expression in _deciders(audit, root, path):
        if given.decides(tree, expression):
            return f"this batch passes it over, for `{tree.text(expression)}` depends on it; give it another batch"
    return ""


def _deciders(audit: Audit, root: int, path: str) -> Iterator[Decider]:
    """What decides whether the mentions of `path` run, and for which of several."""
    ran = audit.record.ran()
    holder = path.rpartition(".")[0]
    for tree, mention in mentions(audit, root, path) or (mentions(audit, root, holder) if holder else []):
        for node in (mention, *named_again(tree, mention)):
            loop = loop_over(tree, node)
            call = loop.call if loop is not None else node
            scope = tree.function(call)
            if scope is not None and not was_entered(tree, scope, ran):
                found = obstacles_to_entering(audit.project_files, tree, scope, ran)
                if not found:
                    continue  # nobody calls it: it tells nothing
            else:
                found = obstacles(tree, call, ran.of(tree.file))
            if found:
                decider = decider_at(found[0].file, found[0].line)
                yield from [decider] if decider is not None else []
            else:
                yield from _around(audit, tree, call, node if loop is not None else None, MAX_CALLERS)


def _around(audit: Audit, tree: Tree, call: ast.AST, looped: ast.AST | None, callers: int) -> Iterator[Decider]:
    """The deciders around a call that ran for others, and around the calls of its function.

    A loop over the very modules, which `looped` names, decides nothing: it comes to all of them.
    """
    for expression in deciders(tree, call):
        if looped is None or not any(part is looped for part in ast.walk(expression)):
            yield tree, expression
    name = getattr(tree.function(call), "name", "")
    if callers and name and name not in ("forward", "__call__"):
        for other, site in call_sites(audit.project_files, name):
            yield from _around(audit, other, site, None, callers - 1)


class _Given:
    """Whether the batch decides an expression: by what ran there, and behind the names in it."""

    def __init__(self, batch: Batch, files: list[str], in_training: bool) -> None:
        self._batch, self._files, self._in_training = batch, files, in_training
        self._seen: set[tuple[str, int, str, bool]] = set()

    def decides(self, tree: Tree, expression: ast.AST, *, sizes_only: bool = False) -> bool:
        """Whether another batch may give the expression another value; of a tensor that is asked for its size,
        another size."""
        if _ran_in(self._batch.sized_places if sizes_only else self._batch.places, tree, expression):
            return True
        if isinstance(expression, ast.BoolOp):
            # Nothing of the batch was asked: what stands first has decided, if it is not what was true.
            asked = [value for value in expression.values if not (self._in_training and _is_training(value))]
            return any(self.decides(tree, value, sizes_only=sizes_only) for value in asked[:1])
        return (
            draws_at_random(tree, expression)
            or any(self._is_entry(tree, part) for part in ast.walk(expression))
            or any(self._comes_from(tree, node, sizes_only) for node in reads(expression))
        )

    def _comes_from(self, tree: Tree, node: ast.AST, sizes_only: bool) -> bool:
        kind = reading_kind(tree, node)
        if kind == "kind" or not isinstance(node, ast.Name | ast.Attribute):
            return False
        sizes = sizes_only or kind == "size"
        found = sources(self._files, tree, node)
        if not found:
            return isinstance(node, ast.Name) and not sizes and _is_asked_for(tree, node)
        for where, origin in found:
            key = (origin.file, origin.line, origin.name, sizes)
            if key in self._seen or len(self._seen) > MAX_SOURCES or origin.value is None:
                continue
            self._seen.add(key)
            if self.decides(where, origin.value, sizes_only=sizes):
                return True
        return False

    def _is_entry(self, tree: Tree, node: ast.AST) -> bool:
        """Whether it asks for an entry of what the batch came in: `batch.get("image")`, `"image" in batch`."""
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name() as holder, attr="get")):
                pass
            case ast.Subscript(value=ast.Name() as holder, slice=ast.Constant()):
                pass
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[ast.Name() as holder]):
                pass
            case _:
                return False
        scope = tree.function(node)
        return scope is not None and any(
            isinstance(part, ast.Subscript)
            and isinstance(part.value, ast.Name)
            and part.value.id == holder.id
            and (statement := tree.statement(part)) is not None
            and _ran_in(self._batch.places, tree, statement)
            for part in ast.walk(scope)
        )


def _is_training(expression: ast.expr) -> bool:
    return isinstance(expression, ast.Attribute) and expression.attr == "training"


def _is_asked_for(tree: Tree, name: ast.Name) -> bool:
    """Whether it is an argument that every call of a `forward` must give, beside the batch."""
    scope = tree.function(name)
    if getattr(scope, "name", "") != "forward" or not isinstance(scope, ast.FunctionDef):
        return False
    arguments = [*scope.args.posonlyargs, *scope.args.args]
    asked = arguments[1 : len(arguments) - len(scope.args.defaults)]
    return any(argument.arg == name.id for argument in asked)


def _ran_in(places: Places, tree: Tree, node: ast.AST) -> bool:
    """Whether one of the `places` lies in the text of `node`."""
    first, last = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0) or 0
    start, end = getattr(node, "col_offset", 0), getattr(node, "end_col_offset", 0) or 0
    for line in range(first, last + 1):
        for column in places.get((tree.file, line), ()):
            if column < 0 or ((line, column) >= (first, start) and (line, column) < (last, end)):
                return True
    return False
