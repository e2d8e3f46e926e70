"""What keeps a value that a loss reads from having any effect on it: a mask, lengths of one, a part that is read alone,
or a function without curvature. Shared by the rules on gradient values."""

from __future__ import annotations

import ast

from fxaudit.capture import operations
from fxaudit.capture.recording import Op, Record
from fxaudit.judge.rule import Audit
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import tree_of

__all__ = [
    "data_made",
    "emptied_by",
    "hiding_mask",
    "last_bend",
    "multiplied_behind",
    "multiplied_mask",
    "one_step_long",
    "part_read_alone",
    "tested_data",
]

MAX_READERS = 20
"""So many operations are gone forward from one."""
DERIVATIVES = ("autograd.grad", "grad")


MAX_UNPACKING = 8
"""So many operations of a library may stand between a recurrent layer and what reads a part of its sequence."""


def part_read_alone(audit: Audit, index: int) -> SourceLine | None:
    """Where a part is taken of the sequence that a recurrent layer gives, if the loss depends on that part alone."""
    record, graph = audit.record, audit.graph
    if index < 0 or not operations.of(record.ops[index].name).recurrent:
        return None
    sequence, *states = record.ops[index].outputs or (-1,)
    if graph.reaching & set(states):
        return None
    for _ in range(MAX_UNPACKING):
        readers = [op for op in graph.consumers.get(sequence, ()) if set(op.outputs) & graph.reaching]
        taken = [op for op in readers if operations.of(op.name).excerpts and not _is_library_call(record, op)]
        if taken and len(taken) == len(readers):
            return audit.op_source(taken[0].index)
        if len(readers) != 1 or not _is_library_call(record, readers[0]):
            return None
        sequence = next((vid for vid in readers[0].outputs if vid in graph.reaching), -1)  # it is unpacked
    return None


def _is_library_call(record: Record, op: Op) -> bool:
    """Whether the user's line does not say the operation itself: a function that it calls does it."""
    tree = tree_of(record.stacks.file(op.stack)) if op.stack >= 0 else None
    statement = tree.statement_at(record.stacks.line(op.stack)) if tree is not None else None
    nodes = list(ast.walk(statement)) if statement is not None else []
    if any(isinstance(node, ast.Subscript) for node in nodes):
        return False
    return bool(nodes) and op.name not in {getattr(node, "attr", "") for node in nodes}


def one_step_long(audit: Audit, index: int) -> SourceLine | None:
    """Where the lengths come from by which every packed sequence that a recurrent layer gets is one step long."""
    record = audit.record
    if index < 0 or not operations.of(record.ops[index].name).recurrent:
        return None
    for vid in record.ops[index].inputs:
        sizes = record.values[vid]
        if sizes.floating or sizes.numel != 1 or sizes.op < 0:
            continue
        lengths = [i for i in record.ops[sizes.op].inputs if not record.values[i].floating]
        made = max((_computed(record, i) for i in lengths), default=-1)
        return audit.op_source(made) or audit.op_source(sizes.op)
    return None


def data_made(audit: Audit, index: int) -> int:
    """The operation that computed, read into a tensor, or made floating, what an operation outside every module hands
    on; -1 for none."""
    record = audit.record
    while index >= 0:
        op = record.ops[index]
        inputs = [record.values[vid] for vid in op.inputs]
        joins = operations.of(op.name).joins and not _is_written(record, op)
        hands_on = _moves(op) or joins  # what a loader joins are the examples of a batch
        if not hands_on or not inputs or inputs[0].op < 0 or not inputs[0].floating:
            break
        index = inputs[0].op
    return index


def tested_data(audit: Audit, index: int) -> int:
    """The operation outside every module that tested data, and made the mask of which the operation takes a part, or
    which a loader joined; -1 for none."""
    record = audit.record
    while index >= 0:
        op = record.ops[index]
        operation = operations.of(op.name)
        if operation.compares or operation.checks:
            return index if op.module < 0 else -1
        inputs = [record.values[vid] for vid in op.inputs]
        if not (_moves(op) or operation.joins) or not inputs:
            return -1
        index = inputs[0].op
    return -1


def _is_written(record: Record, op: Op) -> bool:
    """Whether the user's own statement calls the operation by its name, and not a library that it calls."""
    tree = tree_of(record.stacks.file(op.stack))
    statement = tree.statement_at(record.stacks.line(op.stack)) if tree is not None else None
    called = (node.func for node in ast.walk(statement) if isinstance(node, ast.Call)) if statement is not None else ()
    return any(getattr(function, "attr", getattr(function, "id", "")) == op.name for function in called)


def _computed(record: Record, vid: int) -> int:
    """The operation that computed a value, moves, sorts and casts left out."""
    made_by = record.values[vid].op
    while made_by >= 0 and _moves(record.ops[made_by]):
        inputs = record.ops[made_by].inputs
        if not inputs or record.values[inputs[0]].op < 0:
            break
        made_by = record.values[inputs[0]].op
    return made_by


def _moves(op: Op) -> bool:
    operation = operations.of(op.name)
    return operation.copies or operation.view or operation.selects or operation.name == "sort"


def hiding_mask(audit: Audit, index: int) -> SourceLine | None:
    """Where the mask was made with which the nearest attention, or filling, hides what the operation gives."""
    record, graph = audit.record, audit.graph
    if index < 0:
        return None
    hidden = operations.of(record.ops[index].name)
    if not hidden.looks_up and not hidden.attends:
        return None
    queue, seen = [index], {index}
    while queue and len(seen) < 200:
        op = record.ops[queue.pop(0)]
        operation = operations.of(op.name)
        if operation.attends or (operation.masks and not operation.overwrites):
            return audit.op_source(max((_compared(record, vid) for vid in op.inputs), default=-1))
        for out in op.outputs:
            for reader in graph.consumers.get(out, ()):
                if reader.index not in seen and record.values[out].requires_grad:
                    seen.add(reader.index)
                    queue.append(reader.index)
    return None


def _compared(record: Record, vid: int) -> int:
    """The comparison from which a mask was made, be it by filling in infinities; -1 where the value is no mask."""
    for _ in range(10):
        value = record.values[vid]
        if value.op < 0 or value.requires_grad:
            return -1
        op = record.ops[value.op]
        if operations.of(op.name).compares:
            return op.index
        masks = [i for i in op.inputs if not record.values[i].floating and record.values[i].op >= 0]
        if not masks and len(op.inputs) == 1:  # the mask as numbers, in another shape
            masks = list(op.inputs)
        if not masks:
            return -1
        vid = masks[-1]
    return -1


def multiplied_mask(audit: Audit, index: int) -> int:
    """The comparison, outside every module, that made the mask by which the operation multiplies; -1 for none."""
    record = audit.record
    op = record.ops[index] if index >= 0 else None
    if op is None or not operations.of(op.name).factors:
        return -1
    compared = max((_compared(record, vid) for vid in op.inputs), default=-1)
    return compared if compared >= 0 and record.ops[compared].module < 0 else -1


def emptied_by(audit: Audit, index: int) -> int:
    """The comparison, outside every module, that left nothing of what the operation is given to select by; -1 for
    none."""
    record = audit.record
    empty = [vid for vid in record.ops[index].inputs if record.values[vid].numel == 0]
    compared = max((_compared(record, vid) for vid in empty), default=-1)
    return compared if compared >= 0 and record.ops[compared].module < 0 else -1


def multiplied_behind(audit: Audit, index: int) -> int:
    """The same for the nearest operation that multiplies what the operation gives."""
    if index < 0:
        return -1
    queue, seen = [audit.record.ops[index]], {index}
    while queue and len(seen) < MAX_READERS:
        for out in queue.pop(0).outputs:
            for reader in audit.graph.consumers.get(out, ()):
                found = multiplied_mask(audit, reader.index)
                if found >= 0:
                    return found
                if reader.index not in seen and not operations.of(reader.name).factors:
                    seen.add(reader.index)
                    queue.append(reader)
    return -1


def last_bend(audit: Audit, index: int) -> int:
    """The last piecewise linear operation, if it is the second derivative of such that an `autograd.grad` takes: it is
    zero. -1 where it is not."""
    record = audit.record
    if index < 0 or record.ops[index].name not in DERIVATIVES:
        return -1
    queue, seen, bent, orders = list(record.ops[index].inputs[:1]), {index}, -1, 0
    while queue:
        made_by = record.values[queue.pop()].op
        if made_by < 0 or made_by in seen:
            continue
        seen.add(made_by)
        op = record.ops[made_by]
        orders += op.name in DERIVATIVES
        if operations.of(op.name).bend == "kinked":
            bent = max(bent, made_by)
        elif operations.of(op.name).bend == "curved":
            return -1
        queue.extend(op.inputs)
    return bent if orders else -1
