"""The operations of a symbolic trace as a `torch.fx.Graph` that lints, prints and, where the trace is whole, runs."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from fxaudit.capture.symbolic import names
from fxaudit.capture.symbolic.journal import Lost
from fxaudit.capture.symbolic.values import Computed, Op
from fxaudit.program.flow import beyond
from fxaudit.program.source import SourceLine, actual_path

__all__ = ["NodeFacts", "fx_graph", "not_written"]


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What the trace knows of a node, as `node.meta["fxaudit"]`.

    `line` is the user's, `module` the innermost one that was running; `cut` says why gradient ends at the node, and is
    empty where it does not; `carries_gradient` says whether gradient passes back through it to any input.
    """

    index: int
    line: SourceLine | None
    module: str
    carries_gradient: bool
    cut: str
    _sources: Sources = field(repr=False, compare=False)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters whose gradient passes the node; looked up when it is asked for."""
        return self._sources.parameters(self.index)


class Sources:
    """Which operations each one gets its differentiable inputs from."""

    def __init__(self, ops: Sequence[Op]) -> None:
        index = {id(op): number for number, op in enumerate(ops)}
        self._carries = [tuple(index[id(one)] for one in op.carries if id(one) in index) for op in ops]
        self._slots = [op.slot if op.kind == "parameter" and op.receives_gradient else None for op in ops]

    def parameters(self, index: int) -> tuple[str, ...]:
        """The parameters from which a differentiable way leads to operation `index`."""
        seen = beyond([index], self._carries.__getitem__)
        return tuple(dict.fromkeys(slot for one in sorted(seen) if (slot := self._slots[one]) is not None))


def not_written(ops: Sequence[Op]) -> dict[str, None]:
    """Why the graph of `ops` computes something else than the model, or nothing at all: in sentences."""
    found: dict[str, None] = {}
    for op in ops:
        if op.kind == "opaque":
            found[f"`{op.target}` could not be followed: {op.reason}"] = None
        elif op.cut == "escape" and op.target != "Tensor.item":
            found[f"the value leaves torch by `{op.target}`"] = None
        elif op.target == "Module.__setattr__":
            found[f"PyTorch refuses the assignment to `{op.slot}`"] = None
        elif op.lost:
            found[f"`{op.target}` gets {op.lost}"] = None
        elif op.kind in ("parameter", "buffer") and op.target.startswith("<"):
            found[f"{op.target} is no attribute of the model"] = None
        elif op.kind == "call" and op.stands_for is None and _called(op) is None:
            found[f"`{op.target}` is no function of torch"] = None
    return found


def _opaque(*args: Any, **kwargs: Any) -> Any:
    """Stands in the graph for a call that could not be followed, or has no function of its own."""
    raise NotImplementedError("this call could not be followed by the symbolic trace and cannot be run")


_PYTHON = {"getattr": getattr, "getitem": operator.getitem, "call": lambda function, *a, **k: function(*a, **k)}
_OPERATORS = {"__getitem__": operator.getitem, "__setitem__": operator.setitem}


def _called(op: Op) -> Any:
    """The function of a call; None where there is none."""
    if callable(op.function):
        return _OPERATORS.get(names.short_name(op.function), op.function)
    if op.target == "torch.nn.Parameter":
        return torch.nn.Parameter
    if op.target.startswith("torch.nn."):
        return torch.nn.Module  # it is called by its name
    if op.target.startswith("Tensor."):
        return setattr if len(op.args) > 1 else getattr
    return _PYTHON.get(op.target)


class _Builder:
    def __init__(self, ops: Sequence[Op], classes: dict[str, type]) -> None:
        self.ops = ops
        self.graph = torch.fx.Graph()
        self._classes = classes
        self._sources = Sources(ops)
        self._nodes: dict[int, torch.fx.Node] = {}
        self._computed: dict[int, torch.fx.Node] = {}
        self._mode: torch.fx.Node | None = None
        self._now: tuple[int, Op] = (0, ops[0]) if ops else (0, Op("output", "output", "", -1, True))

    def build(self, sources: Sequence[SourceLine | None]) -> torch.fx.Graph:
        """The graph; `sources` are the lines of the operations."""
        for position, op in enumerate(self.ops):
            self._now = (position, op)
            self._source = sources[position]
            self._grad_mode(op)
            node = self._node(op)
            if node is not None:
                node.meta["fxaudit_index"] = position
                node.meta["fxaudit_target"] = op.target
            made = op.stands_for if op.kind != "parameter" else None
            while made is not None and id(made) not in self._nodes:
                made = made.stands_for
            self._nodes[id(op)] = self._nodes[id(made)] if made is not None else node  # type: ignore[assignment]
        return self.graph

    def _grad_mode(self, op: Op) -> None:
        """Switch gradients off and on where the model does."""
        if op.kind not in ("call", "opaque", "output") or (op.grad_enabled and self._mode is None):
            return
        if not op.grad_enabled and self._mode is None:
            self._mode = self._marked(self.graph.call_function(torch.is_grad_enabled))
            self._marked(self.graph.call_function(torch._C._set_grad_enabled, (False,)))
        elif op.grad_enabled and self._mode is not None:
            self._marked(self.graph.call_function(torch._C._set_grad_enabled, (self._mode,)))
            self._mode = None

    def _node(self, op: Op) -> torch.fx.Node | None:
        match op.kind:
            case "input":
                name = "".join(letter if letter.isalnum() or letter == "_" else "_" for letter in op.target)
                return self._marked(self.graph.placeholder(name))
            case "parameter" | "buffer":
                # fx warns of what is no attribute of its owner; the graph has none.
                return self._marked(self.graph.create_node("get_attr", op.target))
            case "output":
                written = self._argument(op.args[0] if op.args else list(op.inputs))
                return self._marked(self.graph.output(written))
        if op.stands_for is not None and not callable(op.function) and not (op.target == "Tensor.data" and op.args):
            return None  # it hands a value on, or tells of a write that its writer does
        return self._marked(self._call(op))

    def _call(self, op: Op) -> torch.fx.Node:
        args, kwargs = self._argument(op.args), self._argument(op.kwargs)
        function = _called(op) if op.kind == "call" else None
        if function is torch.nn.Module:
            return self.graph.call_module(op.module, args, kwargs)
        if function in (getattr, setattr) and op.target.startswith("Tensor."):
            return self.graph.call_function(function, (args[0], op.target.removeprefix("Tensor."), *args[1:]))
        if function is None:
            return self.graph.call_function(_opaque, args, kwargs)
        name = getattr(function, "__name__", "")
        if getattr(torch.Tensor, name, None) == function and args:
            sign = getattr(operator, op.target, None)  # `x + y` arrives as `add`, `x.add(y)` as `Tensor.add`
            if sign is not None and len(args) == 2 and not kwargs:
                return self.graph.call_function(sign, args)
            return self.graph.call_method(name, args, kwargs)
        return self.graph.call_function(function, args, kwargs)

    def _argument(self, value: Any) -> Any:
        if isinstance(value, Op):
            while value.successor is not None:
                value = value.successor
            return self._nodes.get(id(value), "dropped")
        if isinstance(value, Computed):
            return self._made(value)
        if isinstance(value, Lost):
            return f"<{value}>"
        if isinstance(value, list | tuple):
            return type(value)(self._argument(item) for item in value)
        if isinstance(value, dict):
            return {key: self._argument(item) for key, item in value.items()}
        if isinstance(value, slice):
            return slice(self._argument(value.start), self._argument(value.stop), self._argument(value.step))
        return value

    def _made(self, value: Computed) -> torch.fx.Node:
        node = self._computed.get(id(value))
        if node is None:
            args, kwargs = self._argument(value.args), self._argument(value.kwargs)
            name = getattr(value.function, "__name__", "")
            if getattr(torch.Tensor, name, None) == value.function:
                node = self.graph.call_method(name, args, kwargs)
            else:
                node = self.graph.call_function(value.function, args, kwargs)
            self._computed[id(value)] = self._marked(node)
        return node

    def _marked(self, node: torch.fx.Node) -> torch.fx.Node:
        """`node` with what fx's own tools look for, and with what fxaudit knows."""
        position, op = self._now
        cut = op.cut if op.kind in ("call", "opaque") else ""
        alive = op.receives_gradient or any(one.receives_gradient for one in op.carries)
        node.meta["fxaudit"] = NodeFacts(position, self._source, op.module, alive, cut, self._sources)
        if op.kind != "input":
            node.meta["nn_module_stack"] = {path: (path, kind) for path, kind in self._around(op.module)}
        if self._source is not None:
            node.meta["stack_trace"] = _stack_trace(self._source)
        return node

    def _around(self, path: str) -> list[tuple[str, type]]:
        parts = path.split(".") if path else []
        paths = ["", *(".".join(parts[: depth + 1]) for depth in range(len(parts)))]
        return [(one, self._classes[one]) for one in paths if one in self._classes]


def _stack_trace(source: SourceLine) -> str:
    """The user's stack as Python writes it, the innermost line last."""
    frames = [
        f'  File "{actual_path(one.file)}", line {one.line}, in {one.function}' for one in reversed(source.frames)
    ]
    last = f'  File "{actual_path(source.file)}", line {source.line}, in {source.function.rpartition(".")[2]}'
    return "\n".join([*frames, last, f"    {source.code.strip()}"]) + "\n"


def fx_graph(ops: Sequence[Op], sources: Sequence[SourceLine | None], classes: dict[str, type]) -> torch.fx.Graph:
    """The graph of `ops`.

    Args:
        ops: The operations of a trace, in their order.
        sources: The line of each.
        classes: Path → class of each module of the model.
    """
    return _Builder(ops, classes).build(sources)
