"""What the recorded operations of a step, or of an update by hand, do for a parameter that stays as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from fxaudit.capture import operations
from fxaudit.capture.recording import Op, Record, Track
from fxaudit.program.arithmetic import ZeroFactor, zero_factor
from fxaudit.program.tree import tree_of

__all__ = ["IdleWrite", "idle_write", "lines_about", "written_copies"]


@dataclass(frozen=True, slots=True)
class IdleWrite:
    """Why nothing comes of the operations: the stack of the decisive one, and the factor in it that is 0."""

    kind: Literal["zero", "restored", "copy", "unwritten", "outside", "gradient"]
    stack: int
    write: int
    """The stack of the operation that writes the parameter, or its copy; -1 for none."""
    factor: ZeroFactor | None = None


def idle_write(files: Sequence[str], record: Record, track: Track, ops: Sequence[Op]) -> IdleWrite | None:
    """What comes of the writes among `ops` into the tensor, or into a copy of it; None where there is none."""
    own = set(track.values)
    writes = [op for op in ops if own & set(op.mutates) and op.name != "requires_grad_"]
    if writes:
        taking = [op for op in writes if set(op.inputs) - own] or writes  # a decay reads nothing but the value itself
        return _restored(record, own, writes, ops) or _zero(files, record, own, taking[-1])
    lost = next(written_copies(own, ops), None)
    return IdleWrite("copy", lost[0].stack, lost[1].stack) if lost is not None else None


def unwritten(record: Record, track: Track, ops: Sequence[Op], *, by_hand: bool) -> IdleWrite | None:
    """A result of the tensor's shape, computed from it and its gradient, that is written nowhere and read by nobody.

    What an optimizer computes of a gradient alone is an update, too; elsewhere it may be anything.
    """
    own = set(track.values)
    return _unread(record, own, track, ops, by_hand) or _outside(own, ops)


def lines_about(record: Record, track: Track, ops: Sequence[Op], others: Iterable[Track]) -> set[int]:
    """The lines that ran for the tensor: from each operation on it to the next on another of the optimizer's."""
    own = set(track.values)
    foreign = {vid for other in others if other is not track for vid in other.values}
    found: set[int] = set()
    is_its_turn = False
    for op in ops:
        touched = {*op.inputs, *op.mutates}
        is_its_turn = bool(own & touched) or (is_its_turn and not foreign & touched)
        if is_its_turn:
            found |= {record.stacks.line(frame) for frame in record.stacks.chain(op.stack)[:2]}
    return found


def _copies(op: Op) -> bool:
    """Whether it makes other tensors, or an array, of the same numbers."""
    operation = operations.of(op.name)
    return operation.copies or operation.joins or operation.rewraps == "always" or operation.escapes == "array"


def _looks(op: Op) -> bool:
    """Whether it computes of a gradient what is no update: what a log tells of it."""
    operation = operations.of(op.name)
    looks = operation.detaches or operation.reduces or bool(operation.escapes)
    return looks or operation.name in ("grad", "abs")


def _puts(op: Op) -> bool:
    """Whether it puts a whole value in."""
    return operations.of(op.name).overwrites == "all" and not operations.of(op.name).fresh


def _is_blank(op: Op) -> bool:
    """Whether it makes a tensor that is yet to be filled."""
    operation = operations.of(op.name)
    return bool(operation.fresh) and not operation.draws and not operation.in_place


def _mixes(op: Op) -> bool:
    """Whether it adds to a value a number of times another."""
    operation = operations.of(op.name)
    return bool(operation.scaled) and not operation.multiple


def _leaves(op: Op) -> bool:
    return operations.of(op.name).escapes == "array"


def _restored(record: Record, own: set[int], writes: list[Op], ops: Sequence[Op]) -> IdleWrite | None:
    """A last write that puts in what was copied before the first one."""
    last, first = writes[-1], writes[0]
    if last is first or not _puts(last):
        return None
    sources = [vid for vid in last.inputs if vid not in own]
    while sources:
        op = record.values[sources.pop()].op
        if op < 0:
            continue
        maker = record.ops[op]
        if _copies(maker) and op < first.index and own & set(maker.inputs):
            return IdleWrite("restored", last.stack, first.stack)
        if _copies(maker) or _looks(maker):
            sources.extend(maker.inputs)
    return None


def _zero(files: Sequence[str], record: Record, own: set[int], write: Op) -> IdleWrite | None:
    """Backwards from the write along what is 0, to the operation that made it so."""
    op, seen = write, {write.index}
    while True:
        if 0 in op.numbers and (factor := _factor(files, record, op)) is not None:
            return IdleWrite("zero", op.stack, write.stack, factor)
        kept = _kept(record, own, op) if op is write else None
        if kept is not None:
            return IdleWrite("zero", kept.stack, write.stack, _factor(files, record, kept))
        behind = [
            record.ops[made] for vid in op.inputs if vid not in own and (made := _zero_maker(record, vid, op)) >= 0
        ]
        behind = [maker for maker in behind if maker.index not in seen and not _is_blank(maker)]
        behind = [maker for maker in behind if maker.name != "grad"]
        if not behind:
            break
        op = behind[0]
        seen.add(op.index)
    if op is write:
        return None
    return IdleWrite("zero", op.stack, write.stack, _factor(files, record, op))


def _kept(record: Record, own: set[int], write: Op) -> Op | None:
    """For a write that puts in a whole value: what mixes 0 times something new into that value."""
    made = [record.values[vid].op for vid in write.inputs if vid not in own] if _puts(write) else []
    makers = [record.ops[index] for index in made if 0 <= index < write.index]
    return next((maker for maker in makers if 0 in maker.numbers and _mixes(maker)), None)


def _zero_maker(record: Record, vid: int, reader: Op) -> int:
    """The operation that made a value which is all zeros; -1 where it is not, or came from outside."""
    value = record.values[vid]
    if value.op < 0 or value.op >= reader.index:
        return -1
    maker = record.ops[value.op]
    return value.op if value.zero or (value.zero is None and 0 in maker.numbers) else -1


def _factor(files: Sequence[str], record: Record, op: Op) -> ZeroFactor | None:
    """The factor 0 in the line of an operation, by the numbers that its variables held."""
    scopes = record.scopes.get(op.stack, {})
    at = max((index for index in scopes if index <= op.index), default=-1)
    tree = tree_of(record.stacks.file(op.stack)) if at >= 0 else None
    return zero_factor(files, tree, record.stacks.line(op.stack), scopes[at]) if tree is not None else None


def written_copies(own: set[int], ops: Sequence[Op]) -> Iterator[tuple[Op, Op]]:
    """(what made it, the write) for each copy of the tensor, or of a part, that is written in place, and that nobody
    reads after that. Whether a part has memory of its own, the caller knows."""
    copies: dict[int, Op] = {}
    same = set(own)
    for op in ops:
        inputs, operation = set(op.inputs), operations.of(op.name)
        maker = next((copies[vid] for vid in op.mutates if vid in copies), None)
        if maker is not None:
            if not _is_read(op, ops):
                yield maker, op
            continue
        handed = next((copies[vid] for vid in op.inputs if vid in copies), None) if operation.view else None
        if same & inputs and (_copies(op) or operation.selects):
            copies.update(dict.fromkeys(op.outputs, op))
        elif handed is not None:
            copies.update(dict.fromkeys(op.outputs, handed))
        if same & inputs and operation.view:
            same |= set(op.outputs)


def _is_read(write: Op, ops: Sequence[Op]) -> bool:
    """Whether something reads what was written, other than to write there once more."""
    written = set(write.outputs)
    for later in ops:
        if later.index <= write.index:
            continue
        if written & (set(later.inputs) - set(later.mutates)):
            return True
        if written & set(later.mutates):
            written |= set(later.outputs)
    return False


def _outside(own: set[int], ops: Sequence[Op]) -> IdleWrite | None:
    """A copy of the tensor that leaves torch, and so does its gradient, in the same function; nothing comes back."""
    copied, gradients = set[int](), set[int]()
    left: Op | None = None
    for op in ops:
        inputs = set(op.inputs)
        if op.name == "grad" and own & inputs:
            gradients |= set(op.outputs)
        elif _leaves(op) and inputs & copied:
            left = op
        elif _leaves(op) and inputs & gradients and left is not None:
            return IdleWrite("outside", left.stack, -1)
        elif _copies(op) and inputs & (own | copied):
            copied |= set(op.outputs)
        elif _copies(op) or operations.of(op.name).detaches:
            own = own | set(op.outputs) if own & inputs else own
            gradients |= set(op.outputs) if gradients & inputs else set()
    return None


def _unread(record: Record, own: set[int], track: Track, ops: Sequence[Op], by_hand: bool) -> IdleWrite | None:
    from_it, from_gradient, gradients = set(own), set[int](), set[int]()
    read = {vid for op in ops for vid in op.inputs}
    best: tuple[bool, Op] | None = None
    for op in ops:
        inputs = set(op.inputs)
        if op.name == "grad" and own & inputs:
            from_gradient |= set(op.outputs)
            gradients |= set(op.outputs)
            continue
        if op.name == "data" and gradients & inputs:
            gradients |= set(op.outputs)
        if _puts(op) and gradients & set(op.mutates) and from_it & inputs:
            return IdleWrite("gradient", op.stack, -1)
        from_it |= set(op.outputs) if inputs & from_it else set()
        from_gradient |= set(op.outputs) if inputs & from_gradient else set()
        if op.mutates or _looks(op) or not inputs & from_gradient or read & set(op.outputs):
            continue
        both = bool(inputs & from_it)
        alone = not by_hand and track.numel > 1
        fits = any(record.values[vid].shape == track.shape and record.values[vid].floating for vid in op.outputs)
        if fits and (both or alone) and (best is None or both >= best[0]):
            best = (both, op)
    return IdleWrite("unwritten", best[1].stack, -1) if best is not None else None
