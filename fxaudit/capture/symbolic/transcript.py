"""A symbolic trace written down as if it had been recorded, so that one graph and one set of rules serve both."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType

from torch import nn

from fxaudit.capture import operations
from fxaudit.capture.naming import ModelName, names_in_containers
from fxaudit.capture.recording import ModuleCall, Op, Track, Value
from fxaudit.capture.registry import SlotAssignment
from fxaudit.capture.session import Session
from fxaudit.capture.symbolic.trace import SymbolicOp, SymbolicTrace
from fxaudit.program.source import SourceLine, StackTable, actual_path

__all__ = ["TraceStacks", "Transcript", "Written", "written_down"]


class TraceStacks(StackTable):
    """The lines that a trace names as stacks, after the stacks of a recording that may be going on."""

    def __init__(self, base: StackTable | None = None) -> None:
        super().__init__()
        if base is not None:
            self.parents, self.codes, self.lasti = list(base.parents), list(base.codes), list(base.lasti)
            self._interned = dict(base._interned)
        self._first = len(self.codes)
        self._places: dict[tuple[int, str, int, str, tuple[int, int] | None], int] = {}
        self._lines: dict[int, tuple[str, int, str]] = {}
        self._known: dict[int, SourceLine] = {}

    def add(self, source: SourceLine | None) -> int:
        """The stack that ends in `source`; -1 for None."""
        if source is None:
            return -1
        base = -1
        for frame in reversed(source.frames):
            base = self._place(base, frame.file, frame.line, frame.function, None)
        index = self._place(base, source.file, source.line, source.function, source.columns)
        self._known.setdefault(index, source)
        return index

    def _place(self, base: int, file: str, line: int, function: str, columns: tuple[int, int] | None) -> int:
        key = (base, file, line, function, columns)
        index = self._places.get(key)
        if index is None:
            path = actual_path(file)
            index = self._places[key] = len(self.codes)
            self.parents.append(base)
            self.codes.append(_code(path))
            self.lasti.append(-1)
            self._lines[index] = (path, line, function)
        return index

    def line(self, index: int) -> int:
        """The 1-based line number of the innermost frame."""
        return self._lines[index][1] if index >= self._first else super().line(index)

    def source(self, index: int) -> SourceLine | None:
        """Stack `index` as a `SourceLine`, or None for the empty stack."""
        if index < self._first:
            return super().source(index)
        if index not in self._known:
            self._known[index] = SourceLine.at(*self._lines[index])
        return self._known[index]


@functools.cache
def _code(path: str) -> CodeType:
    """A code object of the file, which is all that is asked of it."""
    return compile("", path, "exec")


@dataclass
class Transcript:
    """What became of the operations of a trace: the values each made, the outputs, and who wrote which parameter."""

    values: dict[int, tuple[int, ...]] = field(default_factory=dict)
    outputs: list[int] = field(default_factory=list)
    writers: dict[str, Op] = field(default_factory=dict)


@dataclass(frozen=True)
class Written:
    """A trace that was written down."""

    module: int
    """The model's root."""
    found: SymbolicTrace
    transcript: Transcript
    hidden: dict[int, tuple[str, ...]]
    """Track → the labels under which the trace may know an unregistered tensor."""
    nodes: Mapping[int, tuple[str, str]]
    """Operation of the record → name and target of the node of the trace that it stands for."""
    methods: frozenset[tuple[str, int]]
    """The file and first line of every method of the model's modules, overridden ones only behind a `super`."""


def written_down(session: Session, models: Sequence[ModelName], traces: Sequence[SymbolicTrace]) -> list[Written]:
    """The traces of the models, written into the record of `session` as if they had been recorded."""
    paths = names_in_containers([(model.prefix, model.module) for model in models], session.recorder)
    written = []
    for model, found in zip(models, traces, strict=True):
        labels = _labels(session, model, paths)
        pools: dict[str, list[Track]] = {}
        for track, names in labels.items():
            for name in names:
                pools.setdefault(name, []).append(session.record.tracks[track])
        transcript = _Scribe(session, model, found, pools).transcript
        nodes = _nodes(session, found, transcript)
        methods = _methods(model.module)
        written.append(Written(model.info.index, found, transcript, labels, nodes, methods))
        _note_assignments(session, model, found)
    return written


def _labels(session: Session, model: ModelName, paths: Mapping[int, str]) -> dict[int, tuple[str, ...]]:
    """The names under which the trace of `model` may know the tensors that it keeps in containers."""
    labels: dict[int, tuple[str, ...]] = {}
    for index, path in paths.items():
        if path.startswith(model.prefix):
            shape = session.record.tracks[index].shape
            own = path.removeprefix(model.prefix)
            labels[index] = (own, f"<Parameter {shape}>", f"<Tensor {shape}>")
    return labels


def _note_assignments(session: Session, model: ModelName, found: SymbolicTrace) -> None:
    stacks = session.record.stacks
    assert isinstance(stacks, TraceStacks)
    tracks = {
        name: session.recorder.track(parameter)
        for name, parameter in model.module.named_parameters(remove_duplicate=False)
    }
    for slot, source in found.assigned_slots.items():
        if slot in tracks and not _assigned_itself(found, slot):
            session.assignments.append(
                SlotAssignment(model.info.index, slot, stacks.add(source), tracks[slot].index, 0, -1, refused=True)
            )


def _nodes(session: Session, found: SymbolicTrace, transcript: Transcript) -> dict[int, tuple[str, str]]:
    """Operation of the record → name and target of the node that it stands for; an operation may stand for several."""
    nodes: dict[int, tuple[str, str]] = {}
    for node in found.graph.nodes if found.graph is not None else ():
        index = node.meta.get("fxaudit_index", -1)
        if index >= 0 and found.ops[index].kind in ("call", "opaque"):
            for vid in transcript.values.get(index, ()):
                nodes.setdefault(session.record.values[vid].op, (node.name, found.ops[index].target))
    nodes.pop(-1, None)
    return nodes


def _methods(model: nn.Module) -> frozenset[tuple[str, int]]:
    """The file and first line of every method of the modules in `model`, overridden ones only behind a `super`."""
    found = set()
    for kind in {type(module) for module in model.modules()}:
        for name in {name for cls in kind.__mro__ for name in vars(cls)}:
            for cls in kind.__mro__:
                value = inspect.unwrap(vars(cls)[name]) if callable(vars(cls).get(name)) else None
                if not inspect.isfunction(value):
                    continue
                found.add((value.__code__.co_filename, value.__code__.co_firstlineno))
                if "super" not in value.__code__.co_names:
                    break
    return frozenset(found)


def _assigned_itself(found: SymbolicTrace, slot: str) -> bool:
    """Whether all that forward puts into the slot is the very parameter that was there."""
    own = found.aliases.get(slot, slot)
    assigned = [op for op in found.ops if op.target == "Module.__setattr__" and op.slot == slot]
    sources = [found.ops[index] for op in assigned for index in op.inputs]
    return bool(sources) and all(op.kind == "parameter" and op.slot == own for op in sources)


class _Scribe:
    def __init__(
        self, session: Session, model: ModelName, found: SymbolicTrace, hidden: Mapping[str, Sequence[Track]]
    ) -> None:
        self.record = session.record
        self.transcript = Transcript()
        self._stacks = session.record.stacks
        self._hidden = {label: list(tracks) for label, tracks in hidden.items()}
        self._escapes: dict[int, int] = {}
        self._tracks = {
            name: session.recorder.track(parameter)
            for name, parameter in model.module.named_parameters(remove_duplicate=False)
        }
        self._calls: dict[str, int] = {}
        for name, module in model.module.named_modules(remove_duplicate=False):
            if name in found.called_modules:
                info = session.module_info(module)
                info.calls += 1
                self._calls[name] = len(self.record.calls)
                self.record.calls.append(ModuleCall(len(self.record.calls), info.index, -1, -1, module.training))
        for op in found.ops:
            self.transcript.values[op.index] = self._written(op, found.ops)

    def _written(self, op: SymbolicOp, ops: Sequence[SymbolicOp]) -> tuple[int, ...]:
        """The values that stand for the result of `op`."""
        match op.kind:
            case "parameter" if op.inputs and op.slot in self._tracks:
                return self._overwritten(op, ops)
            case "parameter" | "buffer":
                return (self._leaf(op),)
            case "input":
                return (self._value(-1),)
            case "output":
                self._output(op)
                return ()
        if op.target == "Module.__setattr__" and len(op.inputs) == 1:
            return self.transcript.values[op.inputs[0]]
        return self._call(op)

    def _value(self, op: int, requires_grad: bool = False, leaf: bool = False, track: Track | None = None) -> int:
        index = len(self.record.values)
        number = track.index if track is not None else -1
        self.record.values.append(Value(index, op, requires_grad, leaf or op < 0, number))
        if track is not None:
            track.values.append(index)
        return index

    def _leaf(self, op: SymbolicOp, made_by: int = -1) -> int:
        track: Track | None = self._tracks.get(op.slot or "")
        if track is None and self._hidden.get(op.target):
            # Tensors of one shape are read in the order in which they are kept; which is which matters to no verdict.
            track = self._hidden[op.target].pop(0)
        return self._value(made_by, track.requires_grad if track is not None else False, leaf=True, track=track)

    def _overwritten(self, op: SymbolicOp, ops: Sequence[SymbolicOp]) -> tuple[int, ...]:
        """A parameter after something else was written to it: a leaf again, with the data of its writer."""
        writer = ops[op.inputs[0]]
        name = "data.__set__" if writer.target == "Tensor.data" else _name(writer)
        inputs = self.transcript.values[writer.index]
        made = self._append(op, name, inputs, source=writer.source)
        self.transcript.writers.setdefault(op.slot or "", made)
        value = self._leaf(op, made.index)
        made.outputs = (value,)
        return (value,)

    def _output(self, op: SymbolicOp) -> None:
        self.transcript.outputs.extend(vid for source in op.inputs for vid in self.transcript.values[source])
        escaped = tuple(self._escapes[source] for source in op.inputs if source in self._escapes)
        if escaped:
            made = self._append(op, "output", ())
            made.python_inputs = escaped
            made.outputs = (self._value(made.index),)
            self.transcript.outputs.extend(made.outputs)

    def _call(self, op: SymbolicOp) -> tuple[int, ...]:
        values = self.transcript.values
        carried = tuple(vid for source in op.carries for vid in values[source])
        others = tuple(vid for source in op.inputs if source not in op.carries for vid in values[source])
        escaped = tuple(self._escapes[source] for source in op.inputs if source in self._escapes)
        name = _name(op)
        if op.cut == "escape" and (others or not escaped):
            made = self._append(op, "__array__" if op.target.startswith("numpy.") else name, others)
            made.detail = "escape"
            self._escapes[op.index] = made.index
            return ()
        if carried and others:
            # Part of what it reads is cut off, part is not: two operations on one line.
            first = self._append(op, name, others)
            first.outputs = (self._value(first.index),)
            others = first.outputs
        made = self._append(op, name, carried + others)
        made.python_inputs = escaped
        if operations.of(name).writes and op.inputs:
            made.mutates = values[op.inputs[0]]
        if op.cut == "reentrant-checkpoint":
            made.custom, made.detail = True, "CheckpointFunction"
        is_new_leaf = op.target == "torch.nn.Parameter"
        alive = is_new_leaf or any(self.record.values[vid].requires_grad for vid in carried)
        made.outputs = (self._value(made.index, alive, leaf=is_new_leaf),)
        return made.outputs

    def _append(self, op: SymbolicOp, name: str, inputs: tuple[int, ...], source: SourceLine | None = None) -> Op:
        assert isinstance(self._stacks, TraceStacks)
        made = Op(
            index=len(self.record.ops),
            name=name,
            stack=self._stacks.add(source or op.source),
            module=self._module(op.module),
            phase="forward",
            inputs=tuple(dict.fromkeys(inputs)),
            grad_enabled=op.grad_enabled,
            region=self._stacks.add(op.grad_source),
        )
        self.record.ops.append(made)
        return made

    def _module(self, name: str) -> int:
        """The call of the module, or of the nearest one above it that is registered."""
        while name and name not in self._calls:
            name = name.rpartition(".")[0]
        return self._calls.get(name, -1)


def _name(op: SymbolicOp) -> str:
    """The bare name of the operation, as recorded operations have it."""
    if op.target == "Tensor.data" and op.carries:
        return "data.__set__"
    parts = op.target.split(".")
    # `torch.ops.aten.detach.default` is an operation with the name of an overload.
    return parts[3] if parts[:2] == ["torch", "ops"] and len(parts) > 4 else parts[-1]
