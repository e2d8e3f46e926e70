"""Following a vanished gradient to the operation where it vanished, and a zero to the line that made it.

Source of the method: each autograd node is watched with its incoming and outgoing gradients (capture.autograd.Probe);
where something comes in and nothing goes out, the factor that annihilated it is looked up among the values of the
operation that made the node, and followed backwards through the data to where it became zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from fxaudit.capture import operations
from fxaudit.capture.frozen import Flows, Recording
from fxaudit.capture.recording import Fact, Op, OpsBySequence, Record, Track
from fxaudit.judge.walks import sweep

__all__ = [
    "Origins",
    "Vanishing",
    "nonfinite_fact",
    "nonfinite_origin",
    "zero_value_origin",
]

MAX_BEHIND = 64
"""So many operations behind one are looked at."""
JOINING = ("StackBackward", "CatBackward")
SELECTING_NODES = ("SelectBackward", "SliceBackward", "IndexBackward", "GatherBackward", "IndexSelectBackward")
RESHAPING = (
    "ViewBackward", "ReshapeAliasBackward", "UnsafeViewBackward", "TransposeBackward", "PermuteBackward", "TBackward",
    "CloneBackward", "SqueezeBackward", "UnsqueezeBackward", "ExpandBackward", "AsStridedBackward",
)  # fmt: skip
RANKS = ("backward", "hook", "number", "empty", "factor", "cancelled", "derivative", "selected")
"""Ways to vanish, those that explain most first."""
ELEMENTWISE = tuple(
    f"{name}Backward"
    for name in "Tanh Relu Gelu Silu Sigmoid LeakyRelu Elu Softplus Hardtanh Mul Add Sub Neg Exp NativeDropout Where"
    " MaskedFill ToCopy".split()
)
"""What keeps the places of a tensor apart: a part that nobody reads stays a part that nobody reads."""


BY_ROWS = tuple(f"{name}Backward" for name in "Addmm Mm Linear NativeLayerNorm Pow".split())
"""What keeps the rows of a tensor apart."""


def _is_scaled(op: Op, position: int) -> bool:
    """Whether the operation multiplies the input at `position` by the number it is given."""
    operation = operations.of(op.name)
    return position in operation.scaled and (operation.multiple or len(op.inputs) > 1)


@dataclass(frozen=True, slots=True)
class Vanishing:
    """Where a gradient became zero: the operation where it bites, and the operation that is the origin of it.

    `how`: `factor` (a zero factor), `number` (multiplied by the Python number 0), `derivative` (the operation's own
    derivative is zero), `empty` (nothing was selected, so that there is nothing to differentiate), `selected` (the
    operation takes another part of the tensor), `cancelled` (what comes back on
    several ways adds up to zero, as for `x - x`), `backward` (a custom backward or a hook returned zeros), `hook` (a
    hook on the tensor itself).
    """

    how: Literal["factor", "number", "derivative", "empty", "selected", "cancelled", "backward", "hook"]
    bites: int
    """Index of the operation whose backward lost it; -1 unknown."""
    origin: int
    """Index of the operation that is to blame; equals `bites` where it is the same."""
    factor_track: int = -1
    """The parameter that is the zero factor, if it is one."""
    node: str = ""
    fact: Fact | None = None
    """Why, in one sentence with the numbers seen, where the node itself tells."""
    part: int = -1
    """The product nearer to the loss whose other factor is 0 at some places, where the gradient is zero on arrival."""
    part_fact: Fact | None = None


Edge = tuple[int, int]
"""(node, position among its inputs): the gradient that the node hands on there."""
Beyond = tuple[Vanishing | None, frozenset[Edge]]
"""(a hook or a cancellation that explains it all, else the edges at which a gradient that is alive becomes zero)."""


class _Ascent:
    """The way of zeros up one probed graph, from a leaf towards the loss; shared by all leaves that ask."""

    def __init__(self, record: Record, probe: Flows) -> None:
        self.record, self.probe = record, probe
        self.finder = OpsBySequence(record.ops)
        self.start = {flow.track: number for number, flow in enumerate(probe.flows) if flow.track >= 0}
        self.above: dict[int, list[Edge]] = {}
        for number, edges in enumerate(probe.edges):
            for position, (following, _) in enumerate(edges):
                self.above.setdefault(following, []).append((number, position))
        made = [op.index for op in record.ops if op.phase == "backward" and _makes_zero(record, op)]
        self.zeroing = made[-1] if made else -1
        """The last recorded operation inside a backward that made zeros; -1 where there is none."""
        self._beyond: dict[int, Beyond] = {}
        self._more: dict[int, list[Edge]] = {}
        self._selecting: dict[int, int] = {}
        self._facts: dict[int, Fact] | None = None

    def fact_at(self, op: int) -> Fact | None:
        """What a node of that operation told of a zero that it handed on: why the factor that it made is zero."""
        if self._facts is None:
            self._facts = {}
            for number, flow in enumerate(self.probe.flows):
                told = [fact for position, fact in flow.facts.items() if flow.outgoing[position] == "zero"]
                if told:
                    self._facts.setdefault(self.op_of(number), told[0])
        return self._facts.get(op) if op >= 0 else None

    def op_of(self, node: int) -> int:
        return self.finder.find(self.probe.flows[node].sequence)

    def from_leaf(self, start: int, track: Track) -> Beyond:
        sweep(self._dead_above(start), self._dead_above, self._at, _join, self._beyond)
        found = self._at(start, track)
        for node in self._dead_above(start):
            found = _join(found, self._beyond[node])
        return found

    def _arriving(self, node: int) -> Iterator[Edge]:
        for user, position in self.above.get(node, ()):
            flow = self.probe.flows[user]
            if flow.visited and position < len(flow.outgoing) and flow.outgoing[position] != "none":
                yield user, position

    def _dead_above(self, node: int) -> list[int]:
        """The nodes that hand on zeros because zeros are what they get."""
        flows = self.probe.flows
        return [
            user
            for user, position in self._arriving(node)
            if flows[user].outgoing[position] == "zero" and flows[user].incoming not in ("finite", "nonfinite")
        ]

    def _at(self, node: int, track: Track | None = None) -> Beyond:
        """What explains a zero at one node; `track` where it is the leaf itself."""
        flows = self.probe.flows
        alive = [user for user, position in self._arriving(node) if flows[user].outgoing[position] == "finite"]
        hooked = bool(track.hooks) if track is not None else self.zeroing >= 0
        ends = []
        for user, position in self._arriving(node):
            if flows[user].outgoing[position] == "zero":
                if flows[user].incoming in ("finite", "nonfinite"):
                    ends.append((user, position))
                continue
            if len(alive) > 1 and flows[node].incoming in ("zero", "none") and not hooked:
                met = max(self.op_of(one) for one in alive)
                return Vanishing("cancelled", met, met, track.index if track is not None else -1), frozenset()
            if track is not None and track.hooks:
                return Vanishing("hook", -1, self.zeroing), frozenset()
            if track is None and flows[node].incoming == "zero":
                # It left one node alive and came to the next as zeros: a hook on the tensor between them.
                return Vanishing("hook", self.op_of(node), self.zeroing), frozenset()
        return None, frozenset(ends)

    def dead_branches(self, start: int) -> list[Edge]:
        """The edges at which gradient ends between `start`, to which some gradient comes, and the loss.

        A part of a value that is not selected may be used on a branch of its own, such as the attention of a model that
        reads its first token only; then the branch is what went dead.
        """
        if start in self._more:
            return self._more[start]
        found = self._more[start] = []
        op = self.op_of(start)
        if op < 0 or not _is_about_a_part(self.record.ops[op]):
            return found
        flows = self.probe.flows
        queue, seen = [start], {start}
        while queue:
            for user, position in self._arriving(queue.pop()):
                if flows[user].outgoing[position] == "zero" and flows[user].incoming in ("finite", "nonfinite"):
                    found.append((user, position))
                elif user not in seen:
                    seen.add(user)
                    queue.append(user)
        return found

    def part_above(self, node: int, position: int) -> Edge | None:
        """The product, nearer to the loss, with a factor that is 0 in part, where what `node` hands on at the position
        is zero on arrival; None where it is not, or there are several, or what lies between may mix the places."""
        flows = self.probe.flows
        own = flows[node].facts.get(position)
        if not flows[node].name.startswith(JOINING) and not (own is not None and own.in_part):
            return None
        queue, seen, found = [node], {node}, set[Edge]()
        while queue:
            for user, at in self._arriving(queue.pop()):
                fact = flows[user].facts.get(at)
                if flows[user].outgoing[at] != "finite" or user in seen:
                    continue
                seen.add(user)
                if fact is not None and fact.in_part:
                    found.add((user, at))
                elif flows[user].name.startswith((*RESHAPING, *ELEMENTWISE, *BY_ROWS)):
                    queue.append(user)
                else:
                    return None
        return found.pop() if len(found) == 1 else None

    def selecting(self, node: int) -> int:
        """The node that reads another part of what `node` put together; -1 where that is not the story.

        The outputs of a recurrent layer are stacked from those of its parts. A stack hands on what it gets: if it is
        alive and one of the parts gets zeros, whatever reads the stack reads the other parts only.
        """
        if node not in self._selecting:
            self._selecting[node] = self._find_selecting(node)
        return self._selecting[node]

    def _find_selecting(self, node: int) -> int:
        flows = self.probe.flows
        if not flows[node].name.startswith(JOINING):
            return -1
        queue, seen = [node], {node}
        while queue:
            for user, _ in self.above.get(queue.pop(), ()):
                name = flows[user].name
                if not flows[user].visited or user in seen:
                    continue
                seen.add(user)
                if name.startswith(SELECTING_NODES):
                    return user
                if name.startswith((*JOINING, *RESHAPING, *ELEMENTWISE)):
                    queue.append(user)
        return -1


def _join(one: Beyond, other: Beyond) -> Beyond:
    return one[0] or other[0], one[1] | other[1]


class Origins:
    """Where zero gradients come from, looked up in the backwards that were looked at, the last first."""

    def __init__(self, recording: Recording) -> None:
        self._record = recording.record
        self._probes = recording.probes[::-1]
        self._ascents: dict[int, _Ascent] = {}

    def of(self, track: Track) -> Vanishing | None:
        """Where the gradient of `track` became exactly zero; None where no backward shows it."""
        for probe in self._probes:
            if probe.event not in self._ascents:
                self._ascents[probe.event] = _Ascent(self._record, probe)
            found = _gradient_origin(self._ascents[probe.event], track)
            if found is not None:
                return found
        return None

    def derivative(self, track: Track) -> Op | None:
        """The operation whose own derivative is zero, where that is why the gradient of `track` is."""
        found = self.of(track)
        known = found is not None and found.how == "derivative" and found.bites >= 0
        return self._record.ops[found.bites] if found is not None and known else None


def _gradient_origin(ascent: _Ascent, track: Track) -> Vanishing | None:
    """The same in one of them."""
    record, probe = ascent.record, ascent.probe
    start = ascent.start.get(track.index)
    if start is None:
        return None
    at_once, ends = ascent.from_leaf(start, track)
    if at_once is not None:
        return at_once
    best: Vanishing | None = None
    edges = sorted(ends, reverse=True)
    for node, position in dict.fromkeys([*edges, *(edge for end, _ in edges for edge in ascent.dead_branches(end))]):
        selecting = ascent.selecting(node)
        chosen = ascent.op_of(selecting) if selecting >= 0 else -1
        if chosen >= 0 and chosen != ascent.op_of(node):
            found = Vanishing("selected", chosen, chosen, node=probe.flows[selecting].name)
        else:
            found = _explain(record, probe, node, position, ascent.finder, track)
            found = replace(found, fact=ascent.fact_at(found.origin) or probe.flows[node].facts.get(position))
            part = ascent.part_above(node, position)
            if part is not None:
                found = replace(found, part=ascent.op_of(part[0]), part_fact=probe.flows[part[0]].facts[part[1]])
        if best is None or _rank(record, found) < _rank(record, best):
            best = found
    return best


def _is_shift(probe: Flows, node: int, position: int, track: Track) -> bool:
    """Whether the edge leads from the operation straight to the parameter, and is not its weight's: a bias."""
    edges = probe.edges[node]
    return probe.flows[edges[position][0]].track == track.index and any(
        number != position and other >= 0 and probe.flows[node].outgoing[number] not in ("zero", "none")
        for number, (other, _) in enumerate(edges)
        if number < len(probe.flows[node].outgoing)
    )


def _rank(record: Record, found: Vanishing) -> int:
    if found.how == "derivative" and (found.bites < 0 or _is_about_a_part(record.ops[found.bites])):
        return len(RANKS)
    return RANKS.index(found.how)


def _is_about_a_part(op: Op) -> bool:
    """Whether it reads or overwrites a part of a tensor, so that the rest may go another way."""
    operation = operations.of(op.name)
    return operation.excerpts or operation.overwrites == "part"


def _makes_zero(record: Record, op: Op) -> bool:
    return any(record.values[out].zero for out in op.outputs)


def _explain(record: Record, probe: Flows, node: int, position: int, finder: OpsBySequence, track: Track) -> Vanishing:
    flow = probe.flows[node]
    op_index = finder.find(flow.sequence)
    if position < len(flow.made_by) and flow.made_by[position] >= 0:
        maker = record.ops[flow.made_by[position]]
        if maker.phase == "backward":
            return Vanishing("backward", op_index, maker.index, node=flow.name)
    if op_index < 0:
        return Vanishing("derivative", -1, -1, node=flow.name)
    op = record.ops[op_index]
    operation = operations.of(op.name)
    shifts = operation.bias or (operation.sums and not operation.subtracts)
    if shifts and track.shape and len(track.shape) == 1 and _is_shift(probe, node, position, track):
        return Vanishing("cancelled", op_index, op_index, track.index, flow.name)
    if 0 in op.numbers and _is_scaled(op, position):
        return Vanishing("number", op_index, op_index, node=flow.name)
    empty = next((vid for vid in op.inputs if record.values[vid].numel == 0 and record.values[vid].requires_grad), -1)
    if empty >= 0:
        selection, mask = _emptied(record, empty)
        return Vanishing("empty", selection, mask, node=flow.name)
    # Of the values that one tensor stands for, the last writer's comes last.
    zeros = [
        vid for vid in _factors_first(record, op.inputs) if _is_zero(record, vid) and not _is_bias(record, op, vid)
    ]
    zeros.sort(key=lambda vid: _is_made_for(record, op, vid))
    if operation.replaces:
        zeros = []  # what is written is no factor of what was there
    elif operation.recurrent:
        # The state that begins is no factor either.
        zeros = [vid for vid in zeros if vid == op.inputs[0] or _parameter_of(record, vid) >= 0]
    elif not operation.factors and not op.custom:
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
    return record.values[vid].zero is True and record.values[vid].numel > 0


def _is_bias(record: Record, op: Op, vid: int) -> bool:
    """Whether the value is what is added to a product of others: zeros there annihilate nothing."""
    if len(record.values[vid].shape) != 1 or vid == op.inputs[0]:
        return False
    operation = operations.of(op.name)
    if not operation.normalises:
        return operation.bias
    # (input, running mean and variance, weight, bias): of the vectors only the weight is a factor.
    vectors = [_parameter_of(record, v) for v in op.inputs[1:] if len(record.values[v].shape) == 1]
    return _parameter_of(record, vid) != next((track for track in vectors if track >= 0), -1)


def _parameter_of(record: Record, vid: int) -> int:
    """The track of the leaf that a value is, or that its operation wrote through an alias; -1 where it is neither."""
    value = record.values[vid]
    if value.track >= 0 or value.op < 0:
        return value.track
    return next((t for v in record.ops[value.op].mutates if (t := record.values[v].track) >= 0), -1)


def _is_made_for(record: Record, op: Op, vid: int) -> bool:
    """Whether the module that runs `op` made the value for it out of nothing, such as a first hidden state."""
    maker = record.values[vid].op
    return maker >= 0 and op.module >= 0 and record.ops[maker].module == op.module and not record.ops[maker].inputs


def _emptied(record: Record, vid: int) -> tuple[int, int]:
    """The operation that selected nothing, so that the value has no element, and the one that made what selects."""
    for _ in range(10_000):
        op = record.ops[record.values[vid].op]
        before = [i for i in op.inputs if record.values[i].numel == 0 and record.values[i].op >= 0]
        # The index of an indexing comes after what it indexes.
        first = op.inputs[0] if op.inputs else -1
        index = [i for i in before if not record.values[i].floating and i != first]
        if index or before:
            vid = (index or before)[0]
            continue
        masks = [i for i in op.inputs[1:] if not record.values[i].floating and record.values[i].op >= 0]
        return op.index, record.values[masks[-1]].op if masks else op.index
    return -1, -1


def _behind_difference(record: Record, op: Op) -> int:
    """What made the operands of a difference that is zero: the value that is one where `1 - x` is zero, or the constant
    of which both sides are parts; -1 where there is no such thing."""
    if not operations.of(op.name).subtracts:
        return -1
    sources = {_moved_from(record, vid) for vid in op.inputs}
    if len(sources) != 1:
        return -1
    (source,) = sources
    value = record.values[source]
    if value.op < 0 or value.track >= 0:
        return -1
    maker = record.ops[value.op]
    if len(op.inputs) > 1:
        return -1 if maker.inputs else maker.index
    zeros = [vid for vid in maker.inputs if _is_zero(record, vid) and record.values[vid].floating]
    if operations.of(maker.name).of_zeros == "ones" and zeros:
        return zero_value_origin(record, zeros[0])[0]
    return maker.index


def _moved_from(record: Record, vid: int) -> int:
    """The value of which this one is a part, or another shape or type."""
    for _ in range(10_000):
        value = record.values[vid]
        if value.op < 0 or value.track >= 0:
            return vid
        maker = operations.of(record.ops[value.op].name)
        if not maker.view and not maker.copies:
            return vid
        if len(record.ops[value.op].inputs) != 1:
            return vid
        vid = record.ops[value.op].inputs[0]
    return vid


def zero_value_origin(record: Record, vid: int) -> tuple[int, int]:
    """The operation that made the zeros which the value consists of, and the parameter they passed through last.

    Both -1 where unknown.
    """
    factor = -1
    for _ in range(10_000):
        value = record.values[vid]
        parameter = _parameter_of(record, vid)
        if parameter >= 0:
            factor = parameter
        if value.op < 0:
            return -1, factor
        op = record.ops[value.op]
        operation = operations.of(op.name)
        if operation.fresh or operation.fills:
            return op.index, factor
        sources = [
            i for i in op.inputs if record.values[i].zero is not False and i != vid and record.values[i].numel > 0
        ]
        if operation.factors:
            zeros = [i for i in _factors_first(record, sources) if _is_zero(record, i)]
            if not zeros:
                return op.index, factor
            # A zero weight explains more than the zero input that follows from one further up.
            weights = [i for i in zeros if _parameter_of(record, i) >= 0 and not _is_bias(record, op, i)]
            vid = (weights or zeros)[0]
            continue
        if op.name == "copy_" and len(op.inputs) > 1:
            sources = [op.inputs[-1]]
        zeros = [i for i in sorted(sources, reverse=True) if _is_zero(record, i) or record.values[i].zero is None]
        if operation.of_zeros == "zeros" and zeros:
            vid = max(zeros, key=lambda i: record.values[i].numel) if operation.joins else zeros[0]
            continue
        if all(_is_zero(record, i) for i in op.inputs) and op.inputs and operation.sums:
            vid = op.inputs[0]
            continue
        certain = [i for i in _factors_first(record, sources) if _is_zero(record, i) and record.values[i].floating]
        if certain and not operation.sums:
            vid = certain[0]
            continue
        behind = _behind_difference(record, op)
        return behind if behind >= 0 else op.index, factor
    return -1, factor


def _nan_origin(record: Record, op: Op) -> int:
    """The operation that made the NaN which `op` reads, where nothing before it carries gradient; -1 otherwise."""
    found = -1
    queue, seen = [vid for vid in op.inputs if record.values[vid].nan], set()
    while queue:
        vid = queue.pop()
        if vid in seen or record.values[vid].requires_grad:
            continue
        seen.add(vid)
        maker = record.values[vid].op
        if maker < 0:
            continue
        before = [i for i in record.ops[maker].inputs if record.values[i].nan]
        if not before:
            found = _infinity_origin(record, record.ops[maker])
        queue.extend(before)
    return found


def _infinity_origin(record: Record, op: Op) -> int:
    """The operation that computed the infinity of which `op` makes a NaN; `op` itself where there is none, or where the
    infinity was written down.

    What nobody looked at may be infinite: among that, the nearest operation that can make an infinity is taken.
    """
    queue, seen = list(op.inputs), set(op.inputs)
    while queue:
        vid = queue.pop(0)
        value = record.values[vid]
        if value.finite is True or value.op < 0 or (value.finite is False and value.requires_grad):
            continue
        maker = record.ops[value.op]
        if any(math.isinf(number) for number in maker.numbers):
            return op.index
        if _can_be_infinite(maker) and not any(record.values[i].finite is False for i in maker.inputs):
            return maker.index
        queue += [i for i in maker.inputs if i not in seen]
        seen.update(maker.inputs)
    return op.index


def _can_be_infinite(op: Op) -> bool:
    """Whether the operation can make an infinity, or NaN, of finite numbers."""
    pole = operations.of(op.name).pole
    if not pole:
        return False
    if len(op.inputs) == 1 and op.numbers:
        if pole == "division":
            return 0 in op.numbers
        if pole == "power":
            return any(number < 0 or number != int(number) for number in op.numbers)
    return True


def _leaves_written(record: Record, op: Op) -> set[int]:
    """The tracked tensors that `op` made, or wrote in place, itself or through an alias."""
    tracks = {record.values[vid].track for vid in (*op.outputs, *op.mutates)}
    return tracks - {-1}


def _stepped_between(record: Record, track: int, made: int, looked: int) -> bool:
    """Whether an optimizer stepped the tensor after the operation `made` it and before event `looked`, so that the
    numbers seen then say nothing of what was made."""
    facts = record.tracks[track].facts
    return any(fact.event < looked and record.events[fact.event].time >= made for fact in facts)


def nonfinite_fact(record: Record, probe: Flows | None, op: int) -> Fact | None:
    """Why the numbers of an operation, or its derivatives, are not finite, where one of its autograd nodes tells."""
    if probe is None:
        return None
    finder = OpsBySequence(record.ops)
    flows = (flow for flow in probe.flows if flow.facts and "nonfinite" in flow.outgoing)
    return next(
        (
            fact
            for flow in flows
            if finder.find(flow.sequence) == op
            for fact in flow.facts.values()
            if not fact.in_part
        ),
        None,
    )


def nonfinite_origin(
    record: Record, probe: Flows | None, event_time: int, skipped: range = range(0)
) -> tuple[int, str, bool]:
    """The operation at which NaN or infinity first appeared in the probed step: (operation, forward or backward,
    whether that is sure).

    Operations in `skipped` are left out: not enough is known of them.
    """
    unsure = -1
    for op in record.ops:
        if op.phase != "forward" or op.index > event_time or op.index in skipped:
            continue
        # Infinities in masks carry no gradient, and are meant.
        leaves = _leaves_written(record, op)
        bad = [
            out
            for out in op.outputs
            if record.values[out].finite is False and (record.values[out].requires_grad or leaves)
        ]
        if not bad:
            continue
        if not all(record.values[i].finite is not False for i in op.inputs):
            made = _nan_origin(record, op)
            if made >= 0:
                return made, "forward", True
            continue
        looked = max(record.values[out].looked for out in bad)
        if any(_stepped_between(record, track, op.index, looked) for track in leaves):
            continue
        made = op.index if _can_be_infinite(op) else _infinity_origin(record, op)
        singular = unsure < 0 and _can_be_infinite(record.ops[made])
        if singular or not any(_is_unseen(record, i) for i in op.inputs):
            return made, "forward", True
        unsure = made if unsure < 0 else unsure  # nobody looked at what it got: it may have been bad already
    constant = _nonfinite_constant(record, event_time)
    if constant >= 0:
        return constant, "forward", True
    if unsure >= 0:
        return unsure, "forward", False
    found = _spoilt_first(record, probe) if probe is not None else -1
    return (found, "backward", True) if found >= 0 else (-1, "", False)


def _spoilt_first(record: Record, probe: Flows) -> int:
    """The operation that first gave, in backward, what is not finite; or one behind it of which it is known why, whose
    result it multiplied with: that was NaN before."""
    finder = OpsBySequence(record.ops)
    spoiling = [
        finder.find(flow.sequence)
        for flow in probe.flows
        if flow.visited and flow.incoming in ("finite", "zero") and "nonfinite" in flow.outgoing
    ]
    first, *later = [index for index in spoiling if index >= 0] or [-1]
    if first < 0 or nonfinite_fact(record, probe, first) is not None:
        return first
    behind = _operations_behind(record, first)
    return next((i for i in later if i in behind and nonfinite_fact(record, probe, i) is not None), first)


def _operations_behind(record: Record, index: int) -> set[int]:
    """The operations from which the operation's inputs come, the nearest."""
    waiting, found = [index], set[int]()
    for number in waiting:
        for vid in record.ops[number].inputs:
            made = record.values[vid].op
            if made >= 0 and made not in found and len(found) < MAX_BEHIND:
                found.add(made)
                waiting.append(made)
    return found


def _is_unseen(record: Record, vid: int) -> bool:
    """Whether nobody looked at the value's numbers, though an operation made it or a step may have changed it."""
    value = record.values[vid]
    return value.finite is None and value.floating and (value.op >= 0 or value.track >= 0)


def _nonfinite_constant(record: Record, until: int) -> int:
    """Where a value without gradient became non-finite that spoils the loss computed last before `until`."""
    op = next(
        (
            op
            for op in reversed(record.ops[: until + 1])
            if op.phase == "forward" and any(record.values[out].requires_grad for out in op.outputs)
        ),
        None,
    )
    if op is None or all(record.values[out].finite is not False for out in op.outputs):
        return -1
    for _ in range(10_000):
        bad = [vid for vid in op.inputs if record.values[vid].finite is False and record.values[vid].op >= 0]
        if not bad:
            return -1 if any(_is_unseen(record, vid) for vid in op.inputs) else op.index
        op = record.ops[record.values[bad[-1]].op]
    return -1
