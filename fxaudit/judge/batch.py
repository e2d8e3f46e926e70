"""What one batch decides: which values are computed from it, or drawn at random, and which the program itself fixes.

Where only one batch was seen, a mask without a True and an expert that nothing is sent to may be the batch's doing.
"""

from __future__ import annotations

import functools

from fxaudit.capture import operations
from fxaudit.capture.frozen import Recording
from fxaudit.capture.recording import Op
from fxaudit.judge.vanishing import Vanishing
from fxaudit.program.source import is_library
from fxaudit.program.tree import is_made_of_literals

__all__ = ["Batch"]

Places = dict[tuple[str, int], set[int]]


class Batch:
    """The values and operations of one batch that another batch, or another draw, would make different."""

    def __init__(self, recording: Recording) -> None:
        self._record = recording.record
        self._start = recording.batch_began
        self._fixed = recording.fixed_values
        self._named = recording.names

    @functools.cached_property
    def _found(self) -> tuple[set[int], set[int], set[int], set[int]]:
        """(values, operations) whose numbers, and (values, operations) whose sizes, the batch decides."""
        values: set[int] = set()
        ops: set[int] = set()
        sized_values: set[int] = set()
        sized_ops: set[int] = set()
        for op in self._record.ops[max(self._start, 0) :]:
            if op.phase == "optimizer" or 0 <= op.again_of < self._start:
                continue
            written = [vid for vid in (*op.outputs, *op.mutates) if not self._is_parameter(vid)]
            if self._computes(op, values, ops):
                ops.add(op.index)
                values.update(written)
                if self._counts(op, sized_values):
                    sized_ops.add(op.index)
                    sized_values.update(written)
        return values, ops, sized_values, sized_ops

    def _computes(self, op: Op, values: set[int], ops: set[int]) -> bool:
        operation = operations.of(op.name)
        if operation.draws:
            return True
        if operation.fresh or (operation.name == "mul" and 0 in op.numbers):
            return False
        if operation.name == "mul" and any(self._is_fixed_zero(vid, values) for vid in op.inputs):
            return False
        if operation.subtracts and not op.numbers and len(set(op.inputs)) == 1:
            return False  # `x - x`
        if any(vid in values or self._is_outside(vid) for vid in op.inputs):
            return True
        if any(vid in self._fixed for vid in op.mutates) or any(before in ops for before in op.python_inputs):
            return True  # a counter that forward moves, or a number that was read from the batch
        return operation.reads_python and not op.inputs and not self._is_written_down(op)

    def _is_fixed_zero(self, vid: int, decided: set[int]) -> bool:
        """Whether the value is zeros in every batch, and nothing learns it."""
        value = self._record.values[vid]
        learns = value.requires_grad or value.track >= 0
        return value.zero is True and not learns and vid not in decided and not self._is_outside(vid)

    def _is_outside(self, vid: int) -> bool:
        """Whether the value is the batch itself: it came from outside, and is no part of a model."""
        value = self._record.values[vid]
        if value.op >= self._start or vid in self._fixed:
            return False
        return not self._is_parameter(vid)

    def _is_parameter(self, vid: int) -> bool:
        track = self._record.values[vid].track
        return track >= 0 and (self._record.tracks[track].is_parameter or track in self._named)

    def _is_written_down(self, op: Op) -> bool:
        stacks = self._record.stacks
        return is_made_of_literals(stacks.file(op.stack), stacks.line(op.stack), stacks.column(op.stack))

    def _counts(self, op: Op, sized: set[int]) -> bool:
        """Whether the numbers, not only the sizes, of what it gets decide how many elements come out."""
        if operations.of(op.name).counts or any(vid in sized for vid in op.inputs):
            return True
        if op.name == "where":
            return len(op.inputs) == 1
        shapes = [self._record.values[vid].shape for vid in op.inputs[1:] if not self._record.values[vid].floating]
        if op.name != "__getitem__" or not shapes or not op.outputs:
            return False
        return self._record.values[op.outputs[0]].shape[: len(shapes[0])] != shapes[0]  # a mask, no list of places

    def decides(self, vid: int) -> bool:
        """Whether another batch, or another draw, may give the value other numbers."""
        return vid in self._found[0] or self._is_outside(vid)

    def starves(self, found: Vanishing) -> bool:
        """Whether the batch took the gradient that vanished: by a mask, an index or a factor that is no constant of the
        program."""
        bites, origin = found.bites, found.origin
        if bites < 0:
            return False
        op = self._record.ops[bites]
        leaves_out = found.fact is not None and found.fact.leaves_out
        match found.how:
            case "empty":
                return any(self.decides(vid) for vid in op.inputs[1:])
            case "number":
                return self.decides_number(bites)
            case "derivative":
                return self._is_hidden(op, leaves_out)
            case "factor":
                made = self._record.ops[origin] if origin >= self._start else op
                by_numbers = self._is_annulled(op) or self._is_annulled(made) or self._is_of_padding(made)
                is_padding = operations.of(made.name).looks_up  # of weights that are not zero it made zeros
                return by_numbers or self._is_hidden(made, leaves_out or is_padding) or self._is_given(made)
        return False

    def _is_hidden(self, op: Op, leaves_out: bool = False) -> bool:
        """Whether the batch's own masks, indices of padding or ignored targets are what the operation goes by."""
        masks = [vid for vid in op.inputs if not self._record.values[vid].floating]
        return (operations.of(op.name).masks or leaves_out) and bool(masks) and all(map(self.decides, masks))

    def _is_of_padding(self, op: Op) -> bool:
        """Whether a zero that the operation gets was looked up in the row of the padding, and handed on."""
        values, ops = self._record.values, self._record.ops
        queue = [vid for vid in op.inputs if values[vid].zero and values[vid].requires_grad]
        seen = set(queue)
        while queue:
            value = values[queue.pop()]
            if value.op < 0 or value.track >= 0:
                continue
            if operations.of(ops[value.op].name).looks_up:
                return self.decides(value.index)
            more = [vid for vid in ops[value.op].inputs if vid not in seen and values[vid].requires_grad]
            seen.update(more)
            queue.extend(more if len(ops[value.op].inputs) == 1 else ())
        return False

    def _is_annulled(self, op: Op) -> bool:
        """Whether all that is zero among what the operation gets, and does not learn, comes of the batch."""
        values = [self._record.values[vid] for vid in op.inputs]
        zeros = [value.index for value in values if value.zero and not value.requires_grad and value.track < 0]
        return bool(zeros) and all(map(self.decides, zeros))

    def _is_given(self, op: Op) -> bool:
        """Whether the batch decides all that the operation made, and nothing in it learns."""
        return bool(op.outputs) and all(
            self.decides(vid) and not self._record.values[vid].requires_grad for vid in op.outputs
        )

    def decides_number(self, op: int) -> bool:
        """Whether a Python number that the operation got was read from the batch."""
        return any(before in self._found[1] for before in self._record.ops[op].python_inputs)

    @functools.cached_property
    def places(self) -> Places:
        """(file, line) → the columns at which what the batch decides is computed, in the user's own files."""
        return self._places_of(self._found[1])

    @functools.cached_property
    def sized_places(self) -> Places:
        """The same for what has as many elements as the batch decides."""
        return self._places_of(self._found[3])

    def _places_of(self, ops: set[int]) -> Places:
        stacks = self._record.stacks
        frames = {frame for op in ops for frame in stacks.chain(self._record.ops[op].stack)}
        found: Places = {}
        for frame in frames:
            if not is_library(stacks.file(frame)):
                found.setdefault((stacks.file(frame), stacks.line(frame)), set()).add(stacks.column(frame))
        return found
