"""The graph of one round of the loop, as the pictures draw it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from fxaudit.answer.answer import OptimizerReport
from fxaudit.answer.picture_data import GraphData, GraphEdge, GraphModule, GraphNode
from fxaudit.capture import operations
from fxaudit.capture.events import BackwardEvent, StepEvent
from fxaudit.capture.measuring import MOST_NODES
from fxaudit.capture.recording import Op, OpsBySequence, Size, Value
from fxaudit.judge.listing import listings
from fxaudit.judge.rule import Audit
from fxaudit.program.bindings import variable_name
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import binding_of

__all__ = ["graph_data"]

NOTHING = 1e-5
"""The mean of a tensor is told where it is larger than so much of its largest number."""
MAX_GRAPH_OPS = 20_000
UNNUMBERED = 1 << 53
"""Nodes that stand for a missing derivative have the largest number that there is, and no real one."""


def graph_data(
    audit: Audit, optimizers: dict[int, OptimizerReport], traced: Mapping[int, tuple[str, str]]
) -> GraphData:
    """The compact graph of one round of the loop: what belongs to a loss or depends on a parameter."""
    writer = _GraphWriter(audit)
    writer.parameters()
    writer.groups(optimizers)
    writer.operations()
    writer.losses()
    writer.grad_fns()
    return GraphData(
        tuple(writer.modules),
        tuple(writer.sources),
        tuple(writer.nodes),
        tuple(writer.edges),
        tuple(writer.autograd_nodes),
        tuple(writer.autograd_edges),
        tuple(writer.autograd_sequences),
        tuple(writer.autograd_roots),
        writer.traced(traced),
        " ".join(writer.left_out),
        tuple(writer.callers),
        listings(audit.record, writer.stacks),
        _unmeasured(audit),
    )


def _unmeasured(audit: Audit) -> str:
    """Why it is not known how large the gradients between operations were, where some are missing or zero."""
    backwards = audit.record.backwards()
    ends = any(s.verdict == "unreachable" or (s.verdict == "blocked" and s.arrived == "zero") for s in audit.states)
    if not ends or not backwards or audit.norms.are_known:
        return ""
    why = ""
    if any(event.grad_fns is None or len(event.grad_fns.nodes) > MOST_NODES for event in backwards):
        why = f"they are more than {MOST_NODES:,}"
    elif len(backwards) == 1:
        why = "that is done in the second backward"
    return f"The gradients between the operations were not measured: {why}." if why else ""


class _GraphWriter:
    """Turns the record of one round into the boxes and arrows of the pictures."""

    def __init__(self, audit: Audit) -> None:
        self.audit = audit
        self.graph = audit.graph
        self.values = audit.record.values
        self.start, self.end = _window(audit)
        self.modules: list[GraphModule] = []
        self.sources: list[SourceLine] = []
        self.callers: list[int] = []
        self.stacks: dict[int, None] = {}
        self.nodes: list[GraphNode] = []
        self.edges: list[GraphEdge] = []
        self.autograd_nodes: list[tuple[str, int]] = []
        self.autograd_edges: dict[tuple[int, int], None] = {}
        self.autograd_sequences: list[int] = []
        self.autograd_roots: dict[tuple[int, int], None] = {}
        self.left_out: dict[str, None] = {}
        self.module_named: dict[str, int] = {}
        self.buffers: dict[int, list[tuple[str, tuple[int, ...]]]] = {}
        self._module_called: dict[int, int] = {}
        self._list_modules()
        self._source_of: dict[int, int] = {}
        self._parameter: dict[int, int] = {}
        self._op: dict[int, int] = {}
        self._sized: set[tuple[int, str]] = set()
        self._outside: dict[int, int] = {}
        self._loss: dict[int, int] = {}
        self._buffers_drawn: set[str] = set()
        unreachable = [state.index for state in audit.states if state.verdict == "unreachable"]
        self._cuts = {(cut.op, cut.value) for index in unreachable for cut in self.graph.cuts(index)}
        # What becomes of a loss that was read for the log (`total += loss.item()`) is guessed: drawn where it hurts.
        losses = set(self.graph.losses)
        logged = {op.index for op in self.graph.ops if op.detail == "escape" and losses.issuperset(op.inputs)}
        self._guessed = (self.graph.inferred | logged) - {op for op, _ in self._cuts}
        self._dependent = self._downstream(vid for s in audit.states for vid in s.track.values)

    def parameters(self) -> None:
        """A node for every parameter, in the module that holds it."""
        for state in self.audit.states:
            owner = state.name.rpartition(".")[0]
            module = self.module_named.get(owner, self.module_named.get("", -1))
            self._parameter[state.index] = len(self.nodes)
            source = self._source(state.track.created)
            self.nodes.append(GraphNode("parameter", state.name, module, source, state.requires_grad))

    def groups(self, optimizers: dict[int, OptimizerReport]) -> None:
        """A node for every param group, and what it holds."""
        number: dict[tuple[int, int], int] = {}
        for index, optimizer in optimizers.items():
            for group in range(len(optimizer.groups)):
                number[index, group] = len(self.nodes)
                self.nodes.append(GraphNode("group", f"{optimizer.name}[{group}]"))
        for state in self.audit.states:
            for holder in state.held:
                if holder in number:
                    self.edges.append(GraphEdge(number[holder], self._parameter[state.index], "holds"))

    def operations(self) -> None:
        """A node for every operation of the round that concerns the model, with the values it reads."""
        reaching = self.graph.reaching
        for op in self.graph.ops:
            if not self.start <= op.index < self.end:
                continue
            if len(self._op) >= MAX_GRAPH_OPS:
                self.left_out[f"Of the operations only the first {MAX_GRAPH_OPS:,} are kept."] = None
                break
            touched = (*op.inputs, *op.outputs)
            if operations.of(op.name).bookkeeping or not any(
                vid in reaching or vid in self._dependent for vid in touched
            ):
                continue
            if op.module < 0 and not any(vid in self._dependent for vid in touched):
                continue  # it prepares the data: what comes of it is an input
            if op.detail == "escape" and op.index in self._guessed:
                continue
            self._operation(op)

    def losses(self) -> None:
        """A node for every loss; those that one line makes are one."""
        numbers: dict[tuple[int, str], int] = {}
        # What a closure returns to `audit()` is bound by nobody: the statement around it binds the report.
        frames = 3 if self.audit.judge.looped else 1
        for vid in self.graph.losses:
            value = self.values[vid]
            if not self.start <= value.op < self.end:
                continue
            stack = self.audit.record.ops[value.op].stack
            name = variable_name(self.audit.record.stacks, stack, frames) or "loss"
            node = numbers.get((stack, name))
            if node is None:
                node = numbers[stack, name] = len(self.nodes)
                taken = sum(1 for _, known in numbers if known == name)
                shown = name if taken == 1 else f"{name} ({taken})"
                self.nodes.append(GraphNode("loss", shown, -1, -1, value.requires_grad))
            self._loss[vid] = node
            made = self._op.get(value.op)
            if made is not None:
                self.edges.append(GraphEdge(made, node, "data"))
                if value.requires_grad:
                    norm = self.audit.norms.at_root(value.op)
                    self.edges.append(GraphEdge(made, node, "grad", norm=norm))

    def grad_fns(self) -> None:
        """The `grad_fn` graphs of the round's backwards as one; a node that two of them share stands once."""
        finder = OpsBySequence(self.audit.record.ops)
        number: dict[tuple[str, int, int, int], int] = {}
        for event in self.graph.backwards:
            graph = event.grad_fns
            if not self.start < event.time <= self.end:
                continue
            if graph is None or len(number) + len(graph.nodes) > MAX_GRAPH_OPS:
                self.left_out["The `grad_fn`s of at least one backward were too many to be kept."] = None
                continue
            own: list[int] = []
            taken: Counter[tuple[str, int, int]] = Counter()
            for node, (name, sequence) in enumerate(graph.nodes):
                track = graph.leaves.get(node, -1)
                # Threads count for themselves: two nodes of one graph may bear one name and one number.
                key = (name, sequence, track, taken[name, sequence, track])
                taken[name, sequence, track] += 1
                if key not in number:
                    number[key] = len(number)
                    made = self._parameter.get(track, -1) if track >= 0 else self._op.get(finder.find(sequence), -1)
                    self.autograd_nodes.append((name, made))
                    self.autograd_sequences.append(sequence if sequence < UNNUMBERED else -1)
                own.append(number[key])
            self.autograd_edges.update(((own[below], own[above]), None) for above, below in graph.edges)
            below_others = {below for _, below in graph.edges}
            for node in range(len(own)):
                if node not in below_others:
                    self.autograd_roots.update(
                        ((own[node], loss), None) for loss in self._losses_of(event, self.autograd_nodes[own[node]][1])
                    )

    def _losses_of(self, event: BackwardEvent, made: int) -> list[int]:
        """The nodes of the losses at which `event` begins: of several, those that the operation `made` has made."""
        known = [vid for vid in event.roots if vid in self._loss]
        own = [vid for vid in known if self._op.get(self.values[vid].op, -1) == made]
        return list(dict.fromkeys(self._loss[vid] for vid in own or known)) or [-1]

    def traced(self, nodes: Mapping[int, tuple[str, str]]) -> tuple[tuple[str, str, int], ...]:
        """The nodes of the symbolic trace whose operations are drawn."""
        return tuple((*named, self._op[op]) for op, named in nodes.items() if op in self._op)

    def _operation(self, op: Op) -> None:
        carries = any(self.values[out].requires_grad and not self.values[out].leaf for out in op.outputs)
        node = self._op[op.index] = len(self.nodes)
        self.stacks[op.stack] = None
        shape, floating = self._made(op)
        source, size = self._source(op.stack, called=True), self._size(op) if shape is not None else None
        self.nodes.append(GraphNode("op", op.name, self._module_of(op), source, carries, shape, floating, size))
        for vid in op.inputs:
            origin = self._origin(vid, op)
            if origin in (-1, node):
                continue
            self.edges.append(GraphEdge(origin, node, "data", (op.index, vid) in self._cuts))
            if any(self.graph.carries(self.values[vid], self.values[out]) for out in op.outputs):
                self.edges.append(GraphEdge(origin, node, "grad", norm=self._norm(vid, op)))
        for escape in self.graph.python_inputs(op):
            if escape in self._op and escape not in self._guessed:
                self.edges.append(GraphEdge(self._op[escape], node, "python"))

    def _norm(self, vid: int, op: Op) -> float | None:
        """The norm of the gradient that comes back to a value from an operation that reads it."""
        value = self.values[vid]
        if value.track in self._parameter:
            return self.audit.norms.of_leaf(value.track, op.index)
        return self.audit.norms.between(value.op, op.index) if value.op >= 0 else None

    def _size(self, op: Op) -> Size | None:
        """How large the numbers were that the line makes by such an operation; told once for each."""
        key = (op.stack, op.name)
        size = self.audit.record.sizes.get(op.stack, {}).get(op.name)
        if size is None or key in self._sized:
            return None
        self._sized.add(key)
        low, mean, high = (None if number is None else float(f"{number:.3g}") for number in size)
        if mean and low is not None and high is not None and abs(mean) < NOTHING * max(abs(low), abs(high)):
            mean = 0.0  # what rounding leaves of a mean that is zero
        return low, mean, high

    def _made(self, op: Op) -> tuple[tuple[int, ...] | None, bool]:
        """The shape of what an operation makes, where that is one tensor, and whether any of it is floating."""
        made = [self.values[vid] for vid in op.outputs]
        return (tuple(made[0].shape) if len(made) == 1 else None), any(value.floating for value in made) or not made

    def _downstream(self, start: Iterable[int]) -> set[int]:
        """All values that depend on any of `start`, guesses left out."""
        seen = set(start)
        queue = list(seen)
        while queue:
            for op in self.graph.consumers.get(queue.pop(), ()):
                users = self.graph.python_consumers.get(op.index, ()) if op.index not in self._guessed else ()
                for out in (*op.outputs, *(out for user in users for out in user.outputs)):
                    if out not in seen:
                        seen.add(out)
                        queue.append(out)
        return seen

    def _origin(self, vid: int, op: Op) -> int:
        """The node that a value comes from; -1 for a value of this round whose maker is not drawn."""
        value = self.values[vid]
        if value.track in self._parameter:
            return self._parameter[value.track]
        if value.op in self._op:
            return self._op[value.op]
        if self.start <= value.op and vid in self._dependent:
            return -1
        if vid not in self._outside:
            module = self._module_of(op)
            fitting = [name for name, shape in self.buffers.get(module, ()) if shape == value.shape]
            self._outside[vid] = len(self.nodes)
            if fitting and not value.requires_grad:
                # Equal ones (running mean and variance) are read in the order in which they are registered.
                name = next((name for name in fitting if name not in self._buffers_drawn), fitting[0])
                self._buffers_drawn.add(name)
                self.nodes.append(GraphNode("buffer", name, module))
            else:
                name = self._input_name(value, op)
                self.nodes.append(
                    GraphNode("input", name, -1, -1, value.requires_grad, tuple(value.shape), value.floating)
                )
        return self._outside[vid]

    def _module_of(self, op: Op) -> int:
        """The innermost module of the model in whose call `op` ran; what is called outside the model has none."""
        calls = self.audit.record.calls
        call = op.module
        while call >= 0 and calls[call].module not in self._module_called:
            call = calls[call].parent
        return self._module_called[calls[call].module] if call >= 0 else -1

    def _input_name(self, value: Value, reader: Op) -> str:
        """The variable that the program keeps an input in, where its making was seen."""
        stacks = self.audit.record.stacks
        stack = self.audit.record.ops[value.op].stack if value.op >= 0 else -1
        if stack < 0:
            return "input"
        here = (stacks.file(stack), stacks.line(stack))
        if here in {(stacks.file(frame), stacks.line(frame)) for frame in stacks.chain(reader.stack)}:
            return "input"  # what the line binds is made of what the reader makes of it
        binding = binding_of(stacks.file(stack), stacks.line(stack), stacks.column(stack))
        # A line that binds several names does not say which of them this is.
        return binding.names[0] if binding.kind == "assigned" and len(binding.names) == 1 else "input"

    def _list_modules(self) -> None:
        known: dict[tuple[int, str], int] = {}
        for model in self.audit.recording.models:
            for name, info in self.audit.recording.below(model.root):
                parent = known.get((model.root.index, name.rpartition(".")[0]), -1) if name else -1
                full = (model.prefix + name).rstrip(".")
                known[model.root.index, name] = self.module_named[full] = len(self.modules)
                self._module_called.setdefault(info.index, len(self.modules))
                own = info.buffers.items()
                self.buffers[len(self.modules)] = [(f"{full}.{buffer}".lstrip("."), shape) for buffer, shape in own]
                self.modules.append(GraphModule(full, info.type, parent, info.calls > 0))

    def _source(self, stack: int, *, called: bool = False) -> int:
        """The index of a line, with the lines that called its function where `called`."""
        if stack >= 0 and (stack not in self._source_of or called):
            stacks = self.audit.record.stacks
            found = stacks.source(stack)
            above = stacks.chain(stack)[1 : 1 + len(found.frames)] if found is not None and called else []
            caller = -1
            for frame in (*reversed(above), stack):
                source = stacks.source(frame) if frame not in self._source_of else None
                if source is not None:
                    self._source_of[frame] = len(self.sources)
                    self.sources.append(replace(source.brief(), columns=source.columns))
                    self.callers.append(caller)
                caller = self._source_of.get(frame, -1)
        return self._source_of.get(stack, -1)


def _window(audit: Audit) -> tuple[int, int]:
    """The operations of one round of the loop: up to the last backward before every optimizer has stepped once."""
    record = audit.record
    stepping = {event.optimizer for event in record.steps()}
    rounds: list[tuple[int, int]] = []
    start = last = 0
    missing = set(stepping)
    for event in record.events:
        if isinstance(event, BackwardEvent) and event.accumulates:
            last = event.time
        elif isinstance(event, StepEvent):
            missing.discard(event.optimizer)
            if last > start and not missing:
                rounds.append((start, last))
                start, missing = event.time, set(stepping)
    if last > start and not (rounds and missing):
        rounds.append((start, last))
    if not rounds:
        return 0, len(record.ops)
    if len(rounds) > 1:
        # The first round shows construction and data preparation, too; a later one is cleaner.
        return rounds[1]
    first, end = rounds[0]
    return next((op.index for op in record.ops if op.module >= 0), first), end
