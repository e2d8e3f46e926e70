"""`fxaudit.trace`: the symbolic trace of a model as a value of its own, with a graph for the tools of `torch.fx`."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from fxaudit.capture.generated import exported_module
from fxaudit.capture.symbolic.failures import unwrapped
from fxaudit.capture.symbolic.trace import SymbolicOp, trace
from fxaudit.errors import InvalidInputsError, InvalidModelError, UnknownFormatError
from fxaudit.program.source import SourceLine

__all__ = ["Trace", "traced"]


@dataclass(frozen=True)
class Trace:
    """What the forward of a model does, operation by operation, found without executing anything.

    `status` is `traced`, or `stopped` where the forward could not be followed to its end: `reason` and `source` say why
    and where, and `ops` end there. `graph` is a `torch.fx.Graph` of it; `obstacles` say in sentences why it does not
    compute what the model computes. Where there are none, `torch.fx.GraphModule(model, trace.graph)` does.

    `node.meta["fxaudit"]` has `line`, `module`, `carries_gradient`, `cut` and `parameters`; `stack_trace` and
    `nn_module_stack` are as the tools of `torch.fx` look for them.
    """

    status: Literal["traced", "stopped"]
    reason: str
    source: SourceLine | None
    ops: tuple[SymbolicOp, ...] = field(repr=False)
    graph: torch.fx.Graph = field(repr=False, compare=False)
    assumed: tuple[SourceLine, ...] = ()
    obstacles: tuple[str, ...] = ()

    @property
    def runs(self) -> bool:
        """Whether the graph computes what the model computes, for inputs of the shapes that were given."""
        return not self.obstacles

    def __str__(self) -> str:
        lines = [self._headline()]
        width = min(48, max((len(_shown(op)) for op in self.ops), default=0))
        names = [len(str(op.index)) for op in self.ops[-1:]]
        digits = max(names, default=1)
        for op in self.ops:
            where = str(op.source) if op.source is not None else ""
            said = "  ".join(filter(None, [where, f"in {op.module}" if op.module else "", _remark(op)]))
            lines.append(f"{op.index:>{digits}}  {op.kind:<9}  {_shown(op):<{width}}  {said}".rstrip())
        lines += [f"The graph does not compute what the model computes: {one}." for one in self.obstacles[:5]]
        return "\n".join(lines)

    def _headline(self) -> str:
        count = f"{len(self.ops)} operation{'s' * (len(self.ops) != 1)}"
        if self.status == "traced":
            return f"traced to the end: {count}"
        where = f" at {self.source}" if self.source is not None else ""
        return f"stopped after {count}{where}: {self.reason}"

    def save(self, path: str | Path) -> Path:
        """Write the trace to `path`: `.json`, `.txt`, `.py` (the graph as code), `.dot`, `.svg`, `.png` or `.pdf`.

        Raises:
            UnknownFormatError: The suffix names none of these.
            UnwritableOutputError: The file cannot be written.
            PictureError: The trace is too big for a picture.
        """
        from fxaudit.renderers import write_whole

        suffix = Path(path).suffix.lower()
        if suffix not in _FORMS:
            known = ", ".join(_FORMS)
            raise UnknownFormatError(f"A trace cannot be written as {suffix or 'a file without suffix'}: use {known}.")
        return write_whole(path, _FORMS[suffix](self))


def traced(model: Any, inputs: Any = None, concrete_args: Any = None) -> Trace:
    """See `fxaudit.trace`."""
    model = exported_module(model)
    if not isinstance(model, nn.Module):
        kind = "a class: pass an instance" if isinstance(model, type) else f"a value of type {type(model).__name__}"
        raise InvalidModelError(f"`model` is {kind}. Expected: a torch.nn.Module.")
    given = arguments_of(inputs)
    found = trace(model, given, _concrete(model, concrete_args, given))
    assert found.graph is not None
    return Trace(found.status, found.reason, found.source, found.ops, found.graph, found.assumed, found.obstacles)


def arguments_of(inputs: Any) -> tuple[Any, ...] | dict[str, Any] | None:
    """`inputs` as the arguments of a forward: those without names as a tuple, those with names as a dict.

    Raises:
        InvalidInputsError: It is nothing that could be handed to a forward.
    """
    if inputs is None:
        return None
    if isinstance(inputs, torch.Tensor):
        return (inputs,)
    if isinstance(inputs, Mapping):
        if not all(isinstance(name, str) for name in inputs):
            raise InvalidInputsError("`inputs` is a dict whose keys are not all names of arguments.")
        return dict(inputs)
    if isinstance(inputs, tuple | list):
        return tuple(inputs)
    raise InvalidInputsError(
        f"`inputs` is a value of type {type(inputs).__name__}. Expected: a tensor, a tuple or a dict of arguments."
    )


def _concrete(model: nn.Module, given: Any, inputs: tuple[Any, ...] | dict[str, Any] | None) -> dict[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise InvalidInputsError(
            f"`concrete_args` is a value of type {type(given).__name__}. Expected: a dict by name."
        )
    try:
        parameters = inspect.signature(unwrapped(model.forward)).parameters
    except (TypeError, ValueError):
        return dict(given)
    anything = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    for name in given:
        if name not in parameters and not anything:
            known = ", ".join(repr(one) for one in parameters if one != "self")
            raise InvalidInputsError(f"`concrete_args` names {name!r}; the forward takes {known or 'nothing'}.")
        if isinstance(inputs, dict) and name in inputs:
            raise InvalidInputsError(f"{name!r} is in `inputs` and in `concrete_args`. Give it once.")
    return dict(given)


def _shown(op: SymbolicOp) -> str:
    return op.target if op.kind != "output" else "the outputs"


def _remark(op: SymbolicOp) -> str:
    if op.kind == "opaque":
        return f"not followed: {op.reason}"
    return f"gradient ends here ({op.cut})" if op.cut and op.kind == "call" else ""


def _json(found: Trace) -> str:
    def line(source: SourceLine | None) -> dict[str, Any] | None:
        if source is None:
            return None
        return {"file": source.file, "line": source.line, "function": source.function, "code": source.code}

    ops = [
        {
            "index": op.index,
            "kind": op.kind,
            "target": op.target,
            "module": op.module,
            "source": line(op.source),
            "inputs": list(op.inputs),
            "carries": list(op.carries),
            "cut": op.cut,
            "reason": op.reason,
        }
        for op in found.ops
    ]
    head = {"status": found.status, "reason": found.reason, "source": line(found.source)}
    return json.dumps({**head, "obstacles": list(found.obstacles), "ops": ops}, ensure_ascii=False, indent=1)


def _picture(found: Trace) -> Any:
    from fxaudit.renderers.picture.traced import TracedBox, draw_trace

    boxes = []
    for op in found.ops:
        place = str(op.source) if op.source is not None else ""
        is_cut = op.kind == "call" and bool(op.cut)
        label = f"{_shown(op)} ({op.cut})" if is_cut else _shown(op)
        boxes.append(TracedBox(op.kind, label, place, op.carries, op.inputs, is_cut))
    return draw_trace(boxes, found._headline())


def _laid_out(found: Trace, form: str) -> bytes:
    from fxaudit.renderers.picture.engine import lay_out

    return lay_out(_picture(found), form)


_FORMS: dict[str, Any] = {
    ".json": _json,
    ".txt": lambda found: f"{found}\n",
    ".py": lambda found: found.graph.python_code("self").src,
    ".dot": lambda found: _picture(found).source,
    ".svg": lambda found: _picture(found).svg(),
    ".png": lambda found: _laid_out(found, "png"),
    ".pdf": lambda found: _laid_out(found, "pdf"),
}
