"""Modules whose forward is generated code: each of its lines is made known by the line of the user's it came from."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

from fxaudit.program.generated import FINDERS, GENERATED, Place, is_generated, note_generated, places_in
from fxaudit.program.source import is_skipped

__all__ = ["exported_module", "note_origins"]

_ASSIGNED = re.compile(r"\s*(\w+)\s*=")


def note_origins(module: object) -> None:
    """Note where the lines of the forward of `module` come from, if it is a `GraphModule` whose nodes know."""
    fx = sys.modules.get("torch.fx")
    if fx is None or not isinstance(module, fx.GraphModule):
        return
    code = getattr(type(module).forward, "__code__", None)
    if code is None or is_generated(code.co_filename) or not code.co_filename.startswith(GENERATED):
        return
    origins = {}
    for line, node in _nodes_by_line(module, code.co_firstlineno).items():
        places = _own(getattr(node, "stack_trace", None))
        if places:
            origins[line] = places
    note_generated(code.co_filename, origins)


FINDERS.append(note_origins)


def _nodes_by_line(module: Any, first: int) -> dict[int, Any]:
    """Line of the generated file → the node that it computes."""
    named = {node.name: node for node in module.graph.nodes}
    found = {}
    for number, text in enumerate(module.code.splitlines(), 1):
        assigned = _ASSIGNED.match(text)
        node = named.get(assigned[1]) if assigned is not None else None
        if node is not None and number > first:
            found[number] = node
    nodes = list(named.values())
    for line, index in (getattr(module, "_lineno_map", None) or {}).items():
        if index is not None and 0 <= index < len(nodes):
            found.setdefault(first + line, nodes[index])
    return found


def _own(stack_trace: object) -> tuple[Place, ...]:
    """The frames that are anybody's lines: not torch's, and no generated code."""
    if not isinstance(stack_trace, str):
        return ()
    return tuple(
        one for one in places_in(stack_trace) if not one.file.startswith(GENERATED) and not is_skipped(one.file)
    )


def exported_module(given: Any) -> Any:
    """The module of a `torch.export.ExportedProgram`, also in a dict of models; anything else as it is."""
    export = sys.modules.get("torch.export")
    if isinstance(given, Mapping):
        return {name: exported_module(one) for name, one in given.items()}
    if export is not None and isinstance(given, export.ExportedProgram):
        return given.module()
    return given
