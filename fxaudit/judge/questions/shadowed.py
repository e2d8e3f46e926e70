"""Methods of the user's own classes that take the place of torch's: `parameters`, `zero_grad`, `requires_grad_`, …"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from fxaudit.capture.registry import FunctionInfo, ModuleInfo, OptimizerInfo
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import project_stack, source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Tree, call_sites, tree_of

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
    state, recording = states[0], audit.recording
    missed = {s.index for s in states if s.track.is_alive}
    if state.root is None or not state.root.is_alive or not missed:
        return None
    held = {track for _, members in recording.optimizers[optimizer].groups for track in members}
    given = {track for track in held if recording.record.tracks[track].is_alive}
    for module in reversed(recording.way(state.root, state.local_name.rpartition(".")[0])):
        for name, method in BEHIND.items():
            function = recording.class_of(module).overrides.get(name)
            if function is None or not _is_asked_for(audit, function, method):
                continue
            if _is_given_deeper(audit, module, optimizer):
                continue
            listed = module.listed.get(name)
            if listed is not None and not listed & missed and not (given & recording.tracks_below(module)) - listed:
                return _named(function, f"`{module.type}.{name}` passes over it")
    return None


def clearing_override(audit: Audit, states: list[ParameterState]) -> Override | None:
    """The `zero_grad` of the user's own, of the model or of the optimizer, that is called and does not clear."""
    recording = audit.recording
    roots = {s.root.index: s.root for s in states if s.root is not None}
    optimizers = {index: recording.optimizers[index] for s in states for index, _ in s.held}
    things: list[ModuleInfo | OptimizerInfo] = [*roots.values(), *optimizers.values()]
    for thing in things:
        function = recording.class_of(thing).overrides.get("zero_grad") if thing.is_alive else None
        if function is None or _calls_the_one_it_overrides(function):
            continue
        if _is_asked_for(audit, function, ("zero_grad",)):
            return _named(function, f"`{thing.type}.zero_grad` takes the place of torch's")
    return None


def thawing_override(audit: Audit, states: list[ParameterState]) -> Override | None:
    """The `requires_grad_` of the model's own that is called to thaw, and does not come to `states`."""
    for state in states:
        root = state.root if state.root is not None and state.root.is_alive else None
        path = state.local_name.rpartition(".")[0]
        for module in audit.recording.way(root, path) if root is not None else ():
            function = audit.recording.class_of(module).overrides.get("requires_grad_")
            if function is None:
                continue
            unseen = (-1, False, state.track.created)
            froze, _, stack = max((f for f in state.track.freezes if not f[1]), default=unseen)
            if not _is_of_its_class(audit, module, stack) and _has_thawed_since(audit, function, froze):
                return _named(function, f"`{module.type}.requires_grad_` does not reach it")
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


def _calls_the_one_it_overrides(function: FunctionInfo) -> bool:
    own = _definition(function)
    calls = (node.func for node in ast.walk(own) if isinstance(node, ast.Call)) if own is not None else ()
    owners = (f.value for f in calls if isinstance(f, ast.Attribute) and f.attr == function.name)
    return any(ast.unparse(owner).startswith(("super(", "nn.Module", "torch.")) for owner in owners)


def _is_given_deeper(audit: Audit, module: ModuleInfo, optimizer: int) -> bool:
    """Whether the line that builds the optimizer goes through children of the module, and not through it."""
    stacks = audit.record.stacks
    built = audit.recording.optimizers[optimizer].created
    frame = project_stack(stacks, built) if built >= 0 else -1
    tree = tree_of(stacks.file(frame)) if frame >= 0 else None
    statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
    calls = (n.func for n in ast.walk(statement) if isinstance(n, ast.Call)) if statement is not None else ()
    owners = [f.value for f in calls if isinstance(f, ast.Attribute) and f.attr in BEHIND]
    return bool(owners) and all(isinstance(owner, ast.Attribute) and owner.attr in module.children for owner in owners)


def _is_asked_for(audit: Audit, function: FunctionInfo, names: Iterable[str]) -> bool:
    """Whether the program calls one of the methods anywhere but in the override itself."""
    own = _definition(function)
    inside = range(own.lineno, (own.end_lineno or own.lineno) + 1) if own is not None else range(0)
    files = list(dict.fromkeys((*audit.project_files, function.file)))
    sites = (site for name in names for site in call_sites(files, name))
    return any(tree.file != function.file or call.lineno not in inside for tree, call in sites)


def _has_thawed_since(audit: Audit, function: FunctionInfo, time: int) -> bool:
    """Whether the method ran after `time`, and thawed something."""
    stacks = audit.record.stacks
    thaws = [stack for t in audit.record.tracks for when, flag, stack in t.freezes if flag and when >= time]
    begins = (function.file, function.line)
    frames = (frame for stack in thaws for frame in stacks.chain(stack))
    return any((stacks.file(frame), stacks.codes[frame].co_firstlineno) == begins for frame in frames)


def _is_of_its_class(audit: Audit, module: ModuleInfo, stack: int) -> bool:
    """Whether the class itself froze it, so that leaving it so is meant."""
    stacks, own = audit.record.stacks, audit.recording.class_of(module).methods
    codes = (stacks.codes[frame] for frame in stacks.chain(stack))
    return any((code.co_filename, code.co_firstlineno, code.co_name) in own for code in codes)


def _named(function: FunctionInfo, role: str) -> Override:
    """The one statement of the method that leaves something out, else its head."""
    file, own = function.file, _definition(function)
    if own is None:
        return source_at(file, function.line, function.qualified), role
    lines = list(dict.fromkeys(_filters(own)))
    line = lines[0] if len(lines) == 1 else own.lineno
    return source_at(file, line, function.qualified.replace("<locals>.", "")), role


def _filters(method: ast.FunctionDef) -> Iterator[int]:
    for node in ast.walk(method):
        match node:
            case ast.If():
                yield node.lineno
            case ast.comprehension(ifs=[test, *_]):
                yield test.lineno
            case ast.Call(func=ast.Name(id="filter")):
                yield node.lineno


def _definition(function: FunctionInfo) -> ast.FunctionDef | None:
    tree: Tree | None = tree_of(function.file)
    first = function.line
    for node in tree.nodes if tree is not None else ():
        if (
            isinstance(node, ast.FunctionDef)
            and node.name == function.name
            and min([node.lineno, *(d.lineno for d in node.decorator_list)]) <= first <= node.lineno
        ):
            return node
    return None
