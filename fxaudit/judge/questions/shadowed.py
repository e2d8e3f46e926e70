"""Methods of the user's own classes that take the place of torch's: `parameters`, `zero_grad`, `requires_grad_`, …"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Iterator
from types import FunctionType
from typing import TYPE_CHECKING

from fxaudit.capture.members import LISTING, every_module
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack, source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.source import SourceLine, is_library, is_skipped
from fxaudit.program.tree import Tree, call_sites, tree_of

if TYPE_CHECKING:
    from torch import nn

__all__ = ["clearing_override", "mode_override", "passing_override", "thawing_override"]

Override = tuple[SourceLine, str]
"""The line to edit, and what it is in words."""

BEHIND = {
    "parameters": ("parameters",),
    "named_parameters": ("named_parameters", "parameters"),
    "named_modules": ("named_modules", "modules", "named_parameters", "parameters"),
    "modules": ("modules",),
    "named_children": ("named_children", "children"),
    "children": ("children",),
}
"""Method → those that go through it, itself among them."""


def passing_override(audit: Audit, states: list[ParameterState], optimizer: int) -> Override | None:
    """The method of the model's own that passes over all of `states`, where what the optimizer holds agrees with it."""
    state = states[0]
    root = state.root.ref() if state.root is not None else None
    tensors = [tensor for s in states if (tensor := s.track.ref()) is not None]
    if root is None or not tensors:
        return None
    held = {t for _, members in audit.session.optimizers[optimizer].groups for t in members}
    given = {id(tensor) for t in held if (tensor := audit.record.tracks[t].ref()) is not None}
    missed = {id(tensor) for tensor in tensors}
    for module in reversed(_way(root, state.local_name)):
        for name in LISTING:
            function = _own(module, name)
            if function is None or not _is_asked_for(audit, function, BEHIND[name]):
                continue
            if _is_given_deeper(audit, module, optimizer):
                continue
            listed = _listed(audit, module, name)
            if listed is not None and not listed & missed and not (given & _below(module)) - listed:
                return _named(function, f"`{type(module).__name__}.{name}` passes over it")
    return None


def clearing_override(audit: Audit, states: list[ParameterState]) -> Override | None:
    """The `zero_grad` of the user's own, of the model or of the optimizer, that is called and does not clear."""
    roots = [s.root.ref() for s in states if s.root is not None]
    optimizers = [audit.session.optimizers[index].ref() for s in states for index, _ in s.held]
    for thing in dict.fromkeys((*roots, *optimizers)):
        function = _own(thing, "zero_grad") if thing is not None else None
        if function is None or _calls_the_one_it_overrides(function):
            continue
        if _is_asked_for(audit, function, ("zero_grad",)):
            return _named(function, f"`{type(thing).__name__}.zero_grad` takes the place of torch's")
    return None


def thawing_override(audit: Audit, states: list[ParameterState]) -> Override | None:
    """The `requires_grad_` of the model's own that is called to thaw, and does not come to `states`."""
    for state in states:
        root = state.root.ref() if state.root is not None else None
        for module in _way(root, state.local_name) if root is not None else ():
            function = _own(module, "requires_grad_")
            if function is None:
                continue
            unseen = (-1, False, state.track.created)
            froze, _, stack = max((f for f in state.track.freezes if not f[1]), default=unseen)
            if not _is_of_its_class(audit, module, stack) and _has_thawed_since(audit, function, froze):
                return _named(function, f"`{type(module).__name__}.requires_grad_` does not reach it")
    return None


def mode_override(audit: Audit, file: str, line: int) -> Override | None:
    """The `train` of the class around a line which asks for `self.training`, where it is called and never sets that."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    outer = tree.ancestors(statement) if tree is not None and statement is not None else ()
    owner = next((node for node in outer if isinstance(node, ast.ClassDef)), None)
    for method in owner.body if owner is not None else ():
        if isinstance(method, ast.FunctionDef) and method.name == "train" and not _sets_mode(method):
            if all(call in ast.walk(method) for _, call in call_sites(audit.project_files, "train")):
                continue
            assert owner is not None
            role = f"`{owner.name}.train` takes the place of torch's, and does not set `self.training`"
            return source_at(file, method.lineno, f"{owner.name}.train"), role
    return None


def _sets_mode(method: ast.FunctionDef) -> bool:
    for node in ast.walk(method):
        match node:
            case ast.Attribute(attr="training", ctx=ast.Store()):
                return True
            case ast.Call(func=ast.Attribute(value=owner, attr="train")) if "super" in ast.unparse(owner):
                return True
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="Module"), attr="train")):
                return True
    return False


def _way(root: nn.Module, name: str) -> list[nn.Module]:
    """The modules from `root` down to the one that has the parameter."""
    found = [root]
    for part in name.split(".")[:-1]:
        child = vars(found[-1]).get("_modules", {}).get(part)
        if child is None:
            break
        found.append(child)
    return found


def _own(thing: object, name: str) -> FunctionType | None:
    """The method of that name, where a class of the user's own project defines it."""
    function = inspect.unwrap(getattr(type(thing), name, None) or _own)
    if not isinstance(function, FunctionType) or function is _own:
        return None
    file = function.__code__.co_filename
    return None if is_skipped(file) or is_library(file) else function


def _calls_the_one_it_overrides(function: FunctionType) -> bool:
    own = _definition(function)
    calls = (node.func for node in ast.walk(own) if isinstance(node, ast.Call)) if own is not None else ()
    owners = (f.value for f in calls if isinstance(f, ast.Attribute) and f.attr == function.__name__)
    return any(ast.unparse(owner).startswith(("super(", "nn.Module", "torch.")) for owner in owners)


def _is_given_deeper(audit: Audit, module: nn.Module, optimizer: int) -> bool:
    """Whether the line that builds the optimizer goes through children of the module, and not through it."""
    stacks = audit.record.stacks
    built = audit.session.optimizers[optimizer].created
    frame = project_stack(stacks, built) if built >= 0 else -1
    tree = tree_of(stacks.file(frame)) if frame >= 0 else None
    statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
    calls = (n.func for n in ast.walk(statement) if isinstance(n, ast.Call)) if statement is not None else ()
    owners = [f.value for f in calls if isinstance(f, ast.Attribute) and f.attr in LISTING]
    children = vars(module).get("_modules", {})
    return bool(owners) and all(isinstance(owner, ast.Attribute) and owner.attr in children for owner in owners)


def _is_asked_for(audit: Audit, function: FunctionType, names: Iterable[str]) -> bool:
    """Whether the program calls one of the methods anywhere but in the override itself."""
    code = function.__code__
    own = _definition(function)
    inside = range(own.lineno, (own.end_lineno or own.lineno) + 1) if own is not None else range(0)
    files = list(dict.fromkeys((*audit.project_files, code.co_filename)))
    sites = (site for name in names for site in call_sites(files, name))
    return any(tree.file != code.co_filename or call.lineno not in inside for tree, call in sites)


def _has_thawed_since(audit: Audit, function: FunctionType, time: int) -> bool:
    """Whether the method ran after `time`, and thawed something."""
    stacks = audit.record.stacks
    thaws = [stack for t in audit.record.tracks for when, flag, stack in t.freezes if flag and when >= time]
    return any(stacks.codes[frame] is function.__code__ for stack in thaws for frame in stacks.chain(stack))


def _is_of_its_class(audit: Audit, module: nn.Module, stack: int) -> bool:
    """Whether the class itself froze it, so that leaving it so is meant."""
    methods = (value for kind in type(module).__mro__ for value in vars(kind).values())
    own = {method.__code__ for method in methods if isinstance(method, FunctionType)}
    return any(audit.record.stacks.codes[frame] in own for frame in audit.record.stacks.chain(stack))


def _listed(audit: Audit, module: nn.Module, name: str) -> set[int] | None:
    """The `id`s of the parameters that the user's method hands out, itself or in the modules that it lists."""

    try:
        with audit.session.quietly():
            given = list(getattr(module, name)())
        things = [entry[1] if name.startswith("named_") else entry for entry in given]
    except Exception:  # the user's own method, which may want arguments that nobody knows
        return None
    if "parameters" in name:
        return {id(thing) for thing in things}
    parts = [part for thing in things for part in ([thing] if "modules" in name else every_module(thing))]
    return {id(p) for part in parts for p in vars(part).get("_parameters", {}).values() if p is not None}


def _below(module: nn.Module) -> set[int]:
    return {id(p) for part in every_module(module) for p in vars(part).get("_parameters", {}).values() if p is not None}


def _named(function: FunctionType, role: str) -> Override:
    """The one statement of the method that leaves something out, else its head."""
    file, own = function.__code__.co_filename, _definition(function)
    if own is None:
        return source_at(file, function.__code__.co_firstlineno, function.__qualname__), role
    lines = list(dict.fromkeys(_filters(own)))
    line = lines[0] if len(lines) == 1 else own.lineno
    return source_at(file, line, function.__qualname__.replace("<locals>.", "")), role


def _filters(method: ast.FunctionDef) -> Iterator[int]:
    for node in ast.walk(method):
        match node:
            case ast.If():
                yield node.lineno
            case ast.comprehension(ifs=[test, *_]):
                yield test.lineno
            case ast.Call(func=ast.Name(id="filter")):
                yield node.lineno


def _definition(function: FunctionType) -> ast.FunctionDef | None:
    tree: Tree | None = tree_of(function.__code__.co_filename)
    first = function.__code__.co_firstlineno
    for node in ast.walk(tree.root) if tree is not None else ():
        if (
            isinstance(node, ast.FunctionDef)
            and node.name == function.__name__
            and min([node.lineno, *(d.lineno for d in node.decorator_list)]) <= first <= node.lineno
        ):
            return node
    return None
