"""Following a vanished gradient to the operation where it vanished, and a zero to the line that made it.

Source of the method: each autograd node is watched with its incoming and outgoing gradients (capture.autograd.Probe);
where something comes in and nothing goes out, the factor that annihilated it is looked up among the values of the
operation that made the node, and followed backwards through the data to where it became zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from fxaudit.capture.autograd import OpsBySequence, Probe
from fxaudit.capture.record import Op, Record, Track
from fxaudit.graph import StepGraph

__all__ = ["OVERWRITING", "Vanishing", "gradient_origin", "nonfinite_origin", "zero_value_origin"]

PASSING = frozenset(
    {
        "view", "reshape", "flatten", "squeeze", "unsqueeze", "transpose", "permute", "contiguous", "clone", "expand",
        "expand_as", "repeat", "stack", "cat", "concat", "concatenate", "chunk", "split", "unbind", "getitem",
        "__getitem__", "select", "narrow", "index_select", "gather", "take", "to", "float", "double", "half",
        "bfloat16",
        "type", "type_as", "cuda", "cpu", "detach", "data", "T", "mT", "t", "movedim", "swapaxes", "roll", "flip",
        "pad",
        "sum", "mean", "neg", "abs", "tanh", "relu", "relu_", "gelu", "silu", "leaky_relu", "elu", "selu", "sin", "erf",
        "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "dropout", "alpha_dropout", "feature_dropout", "normalize",
        "unfold", "fold", "broadcast_to", "view_as", "reshape_as", "ravel", "copy_", "as_tensor", "tensor",
        "from_numpy",
        "requires_grad_", "Parameter", "layer_norm", "group_norm", "batch_norm", "instance_norm", "data.__set__",
        "hardtanh", "softshrink", "mish", "diagonal", "tril", "triu",
        "long", "int",
    }
)  # fmt: skip
MAKING_ZERO = frozenset(
    {"zeros", "zeros_like", "new_zeros", "zero_", "zeros_", "constant_", "fill_", "full", "full_like", "empty"}
)
CONTRACTING = frozenset(
    {"linear", "matmul", "__matmul__", "mm", "bmm", "addmm", "conv1d", "conv2d", "conv3d", "einsum", "bilinear",
     "embedding", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "mul", "mul_", "multiply", "__mul__",
     "__rmul__",
     "div", "true_divide", "__truediv__", "mv", "dot", "outer", "baddbmm", "where", "masked_fill"}
)  # fmt: skip
JOINING = ("StackBackward", "CatBackward")
SELECTING = ("SelectBackward", "SliceBackward", "IndexBackward", "GatherBackward", "IndexSelectBackward")
RESHAPING = (
    "ViewBackward", "ReshapeAliasBackward", "UnsafeViewBackward", "TransposeBackward", "PermuteBackward", "TBackward",
    "CloneBackward", "SqueezeBackward", "UnsqueezeBackward", "ExpandBackward", "AsStridedBackward",
)  # fmt: skip
ELEMENTWISE = tuple(
    f"{name}Backward"
    for name in "Tanh Relu Gelu Silu Sigmoid LeakyRelu Elu Softplus Hardtanh Mul Add Sub Neg Exp NativeDropout Where"
    " MaskedFill ToCopy".split()
)
"""What keeps the places of a tensor apart: a part that nobody reads stays a part that nobody reads."""
RECURRENT = frozenset({"lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_cell", "gru_cell", "rnn_tanh_cell"})
OVERWRITING = frozenset(
    "__setitem__ copy_ index_put_ index_copy_ masked_scatter_ scatter_ zero_ fill_ zeros_ constant_".split()
)


@dataclass(frozen=True, slots=True)
class Vanishing:
    """Where a gradient became zero: the operation where it bites, and the operation that is the origin of it.

    `how`: `factor` (a zero factor), `number` (multiplied by the Python number 0), `derivative` (the operation's own
    derivative is zero), `selected` (the operation takes another part of the tensor), `cancelled` (the gradients of
    several uses add up to zero), `backward` (a custom backward or a hook returned zeros), `hook` (a hook on the tensor
    itself).
    """

    how: Literal["factor", "number", "derivative", "selected", "cancelled", "backward", "hook"]
    bites: int
    """Index of the operation whose backward lost it; -1 unknown."""
    origin: int
    """Index of the operation that is to blame; equals `bites` where it is the same."""
    factor_track: int = -1
    """The parameter that is the zero factor, if it is one."""
    node: str = ""


def gradient_origin(record: Record, graph: StepGraph, probe: Probe, track: Track) -> Vanishing | None:
    """Where the gradient of `track` became exactly zero in the probed backward; None where it did not, or is not
    known."""
    start = next((i for i, flow in enumerate(probe.flows) if flow.track == track.index), None)
    if start is None:
        return None
    above: dict[int, list[tuple[int, int]]] = {}
    for number, edges in enumerate(probe.edges):
        for position, (following, _) in enumerate(edges):
            above.setdefault(following, []).append((number, position))
    finder = OpsBySequence(record.ops)
    frontier: list[tuple[int, int]] = []
    queue, seen = [start], {start}
    while queue:
        current = queue.pop(0)
        for node, position in above.get(current, ()):
            flow = probe.flows[node]
            if not flow.visited or position >= len(flow.outgoing) or flow.outgoing[position] == "none":
                continue
            if flow.outgoing[position] != "zero":
                uses = _finite_uses(probe, above[current])
                if len(uses) > 1 and probe.flows[current].incoming in ("zero", "none") and _zeroing(record) < 0:
                    met = max(finder.find(probe.flows[user].sequence) for user in uses)
                    return Vanishing("cancelled", met, met, node=flow.name)
                if current == start:
                    return Vanishing("hook", -1, _zeroing(record)) if track.hooks else None
                if probe.flows[current].incoming == "zero":
                    # It left one node alive and came to the next as zeros: a hook on the tensor between them.
                    return Vanishing("hook", finder.find(probe.flows[current].sequence), _zeroing(record))
                continue
            if flow.incoming in ("finite", "nonfinite"):
                frontier.append((node, position))
            elif node not in seen:
                seen.add(node)
                queue.append(node)
    best: Vanishing | None = None
    for node, position in frontier:
        selecting = _selecting(probe, above, node)
        chosen = finder.find(probe.flows[selecting].sequence) if selecting >= 0 else -1
        if chosen >= 0 and chosen != finder.find(probe.flows[node].sequence):
            found: Vanishing | None = Vanishing("selected", chosen, chosen, node=probe.flows[selecting].name)
        else:
            found = _explain(record, probe, node, position, finder, track)
        if found is not None and (best is None or _rank(found) < _rank(best)):
            best = found
    return best


def _rank(found: Vanishing) -> int:
    return ["backward", "hook", "number", "factor", "selected", "cancelled", "derivative"].index(found.how)


def _finite_uses(probe: Probe, edges: list[tuple[int, int]]) -> list[int]:
    """The nodes that send a gradient which is not zero, one entry for each edge."""
    return [
        node
        for node, position in edges
        if position < len(probe.flows[node].outgoing) and probe.flows[node].outgoing[position] == "finite"
    ]


def _selecting(probe: Probe, above: dict[int, list[tuple[int, int]]], node: int) -> int:
    """The node that reads another part of what `node` put together; -1 where that is not the story.

    The outputs of a recurrent layer are stacked from those of its parts. A stack hands on what it gets: if it is alive
    and one of the parts gets zeros, whatever reads the stack reads the other parts only.
    """
    if not probe.flows[node].name.startswith(JOINING):
        return -1
    queue, seen = [node], {node}
    while queue:
        for user, _ in above.get(queue.pop(), ()):
            name = probe.flows[user].name
            if not probe.flows[user].visited or user in seen:
                continue
            seen.add(user)
            if name.startswith(SELECTING):
                return user
            if name.startswith((*JOINING, *RESHAPING, *ELEMENTWISE)):
                queue.append(user)
    return -1


def _zeroing(record: Record) -> int:
    """The last recorded operation inside a backward that made zeros; -1 where there is none."""
    made = [op for op in record.ops if op.phase == "backward" and _makes_zero(record, op)]
    return made[-1].index if made else -1


def _makes_zero(record: Record, op: Op) -> bool:
    return any(record.values[out].zero for out in op.outputs)


def _explain(
    record: Record, probe: Probe, node: int, position: int, finder: OpsBySequence, track: Track
) -> Vanishing | None:
    flow = probe.flows[node]
    op_index = finder.find(flow.sequence)
    if position < len(flow.made_by) and flow.made_by[position] >= 0:
        maker = record.ops[flow.made_by[position]]
        if maker.phase == "backward":
            return Vanishing("backward", op_index, maker.index, node=flow.name)
    if op_index < 0:
        return Vanishing("derivative", -1, -1, node=flow.name)
    op = record.ops[op_index]
    if any(number == 0 for number in op.numbers) and op.name in ("mul", "mul_", "__mul__", "__rmul__", "multiply"):
        return Vanishing("number", op_index, op_index, node=flow.name)
    # Of the values that one tensor stands for, the last writer's comes last.
    zeros = [vid for vid in _factors_first(record, op.inputs) if _is_zero(record, vid)]
    if op.name in OVERWRITING | RECURRENT:
        zeros = []  # what is written is no factor of what was there, and neither is the state that begins
    elif op.name not in CONTRACTING and not op.custom:
        zeros = [vid for vid in zeros if record.values[vid].track != track.index and record.values[vid].floating]
    for vid in zeros:
        origin, factor = zero_value_origin(record, vid)
        return Vanishing("factor", op_index, origin if origin >= 0 else op_index, factor, flow.name)
    return Vanishing("derivative", op_index, op_index, node=flow.name)


def _factors_first(record: Record, values: Iterable[int]) -> list[int]:
    """Matrices before vectors (a bias is no factor), and of the values one tensor stands for the last writer's
    first."""
    return sorted(values, key=lambda vid: (len(record.values[vid].shape) <= 1, -vid))


def _is_zero(record: Record, vid: int) -> bool:
    return record.values[vid].zero is True


def zero_value_origin(record: Record, vid: int) -> tuple[int, int]:
    """The operation that made the zeros which the value consists of, and the parameter they passed through last.

    Both -1 where unknown.
    """
    factor = -1
    for _ in range(10_000):
        value = record.values[vid]
        if value.track >= 0:
            factor = value.track
        if value.op < 0:
            return -1, factor
        op = record.ops[value.op]
        if op.name in MAKING_ZERO or op.name.startswith("init."):
            return op.index, factor
        sources = [i for i in op.inputs if record.values[i].zero is not False and i != vid]
        if op.name in CONTRACTING:
            zeros = [i for i in _factors_first(record, sources) if _is_zero(record, i)]
            if not zeros:
                return op.index, factor
            # A zero weight explains more than the zero input that follows from one further up.
            weights = [i for i in zeros if record.values[i].track >= 0]
            vid = (weights or zeros)[0]
            continue
        if op.name == "copy_" and len(op.inputs) > 1:
            sources = [op.inputs[-1]]
        zeros = [i for i in sorted(sources, reverse=True) if _is_zero(record, i) or record.values[i].zero is None]
        if op.name in PASSING and zeros:
            vid = zeros[0]
            continue
        if (
            all(_is_zero(record, i) for i in op.inputs)
            and op.inputs
            and op.name in ("add", "add_", "sub", "__add__", "__radd__")
        ):
            vid = op.inputs[0]
            continue
        return op.index, factor
    return -1, factor


def nonfinite_origin(record: Record, probe: Probe | None, event_time: int) -> tuple[int, str]:
    """The operation at which NaN or infinity first appeared in the probed step: (operation, forward or backward)."""
    for op in record.ops:
        if op.phase != "forward" or op.index > event_time:
            continue
        # Infinities in masks carry no gradient, and are meant.
        bad = [out for out in op.outputs if record.values[out].finite is False and record.values[out].requires_grad]
        if bad and all(record.values[i].finite is not False for i in op.inputs):
            return op.index, "forward"
    if probe is not None:
        finder = OpsBySequence(record.ops)
        for flow in probe.flows:
            if flow.visited and flow.incoming in ("finite", "zero") and "nonfinite" in flow.outgoing:
                found = finder.find(flow.sequence)
                if found >= 0:
                    return found, "backward"
    return -1, ""
