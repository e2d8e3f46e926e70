"""The number that pushes everything below 0 where a hinge cuts off: a margin of the wrong sign."""

from __future__ import annotations

from fxaudit.capture import operations
from fxaudit.judge.questions.births import born_at, number_born
from fxaudit.judge.rule import Audit
from fxaudit.program.source import SourceLine

__all__ = ["shifted_below"]

Lines = list[tuple[SourceLine | None, str]]


def shifted_below(audit: Audit, index: int) -> tuple[SourceLine | None, Lines] | None:
    """(the line to edit, what is related to it), where the input of the operation is what a difference of two values
    leaves after a number was taken from it: where a negative one was added, the line that sets it."""
    record = audit.record
    made = record.values[record.ops[index].inputs[0]].op if index >= 0 and record.ops[index].inputs else -1
    op = record.ops[made] if made >= 0 else None
    if op is None or len(op.inputs) != 1 or len(op.numbers) != 1:
        return None
    behind = record.values[op.inputs[0]].op
    if behind < 0 or not operations.of(record.ops[behind].name).subtracts or len(record.ops[behind].inputs) != 2:
        return None
    (number,) = op.numbers
    operation = operations.of(op.name)
    if operation.subtracts and number > 0:
        return audit.op_source(made), []
    if operation.sums and not operation.subtracts and number < 0:
        born = number_born(record, op.stack, lambda value: value == number)
        if born is not None:
            line, stations = born_at(born)
            return line, [(audit.op_source(made), "added here"), *stations]
        return audit.op_source(made), []
    return None
