"""The topmost module that was never called. Shared by the rule on it and by what one batch leaves open."""

from __future__ import annotations

from collections.abc import Mapping

from fxaudit.capture.registry import ModuleInfo
from fxaudit.judge.questions.mentions import is_missed, registration
from fxaudit.judge.rule import Audit
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.source import SourceLine

__all__ = ["taken_apart", "topmost_uncalled", "used_paths"]


def used_paths(audit: Audit, root: int) -> set[str]:
    """Every module path of a root in or below which something was called, or read."""
    modules = audit.recording.paths(audit.recording.modules[root])
    called = {name for name, module in modules.items() if module.calls}
    paths_of: dict[int, list[str]] = {}
    for name in called:
        paths_of.setdefault(modules[name].index, []).append(name)
    used = []
    for names in paths_of.values():
        # Of several ways to one module, those through a module that never ran were not taken.
        taken = [n for n in names if _is_passed(audit, modules, called, n.rpartition(".")[0])]
        used.extend(taken or names)
    for state in audit.states:
        if state.root is None or state.root.index != root:
            continue
        if state.verdict == "trained" or not is_missed(audit, state):
            used.append(state.local_name.rpartition(".")[0])
    paths: set[str] = set()
    for name in used:
        while name and name not in paths:
            paths.add(name)
            name = name.rpartition(".")[0]
    return paths


def topmost_uncalled(state: ParameterState, used: set[str]) -> str | None:
    """The path of the topmost module above the parameter of which nothing was called or read."""
    parts = state.local_name.split(".")[:-1]
    return next((path for n in range(1, len(parts) + 1) if (path := ".".join(parts[:n])) not in used), None)


def _is_passed(audit: Audit, modules: Mapping[str, ModuleInfo], called: set[str], path: str) -> bool:
    """Whether the module at `path` ran, or is a container, which nobody calls."""
    return path in called or not audit.recording.class_of(modules[path]).defines_forward


def taken_apart(audit: Audit, root: int, path: str) -> SourceLine | None:
    """The line that put some parts of the module at `path`, or of the one that it is a part of, into another container,
    which is called in its place."""
    modules = audit.recording.paths(audit.recording.modules[root])
    for whole in (path, path.rpartition(".")[0]):
        below = [name for name in modules if name.startswith(f"{whole}.") and whole]
        if not below or modules[whole].calls:
            continue
        parts = {modules[name].index for name in below}
        for name, module in modules.items():
            container = name.rpartition(".")[0]
            if module.index in parts and container and not f"{container}.".startswith(f"{whole}."):
                if not audit.recording.class_of(modules[container]).module.startswith("torch.nn.modules.container"):
                    continue  # what wraps a part of another whole leaves that as it is
                line = registration(audit, root, container)
                if line is not None and not line.library:
                    return line
    return None
