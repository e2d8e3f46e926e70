"""The names that a program gives to what it makes, by the stack at which it was made."""

from __future__ import annotations

from fxaudit.program.source import StackTable, is_library
from fxaudit.program.tree import NOT_UNPACKED, UNCERTAIN, binding_of, is_further_argument, unpacking

__all__ = ["made_at", "object_name", "variable_name"]


def made_at(stacks: StackTable, stack: int) -> int:
    """The frame in which a module was made, outside of the constructors that call `super().__init__()`."""
    for frame in stacks.chain(stack):
        inside = stacks.codes[frame].co_name == "__init__"
        binding = binding_of(stacks.file(frame), stacks.line(frame), stacks.column(frame))
        if not inside or binding.kind != "discarded":
            return frame
    return stack


def variable_name(stacks: StackTable, stack: int, frames: int = 3) -> str:
    """The variable to which the statement that `stack` ends in binds its value; "" where it binds none.

    What is returned is followed outwards, through so many `frames` in all, but not out of the user's code into a
    library's: its variables tell the user nothing.
    """
    position = NOT_UNPACKED
    chain = stacks.chain(stack)[:frames]
    for frame in chain:
        if is_library(stacks.file(frame)) and not is_library(stacks.file(chain[0])):
            return ""
        if stacks.codes[frame].co_name == "<lambda>":
            return ""  # the statement around a lambda binds something else
        file, line = stacks.file(frame), stacks.line(frame)
        binding = binding_of(file, line, stacks.column(frame))
        targets, here = unpacking(file, line, stacks.column(frame))
        position = here if here != NOT_UNPACKED else position
        if binding.kind == "assigned" and binding.names:
            if position == NOT_UNPACKED:
                return binding.names[0].removeprefix("self.")
            if targets:
                return targets[position].removeprefix("self.") if 0 <= position < len(targets) else ""
            return "" if position == UNCERTAIN else f"{binding.names[0]}[{position}]".removeprefix("self.")
        if binding.kind != "returned":
            return ""
    return ""


def object_name(stacks: StackTable, stack: int) -> str:
    """The same for the model or optimizer that is made at `stack`: "" where another call gets it among its further
    arguments, for what the statement binds is what that call returns."""
    handed = stack >= 0 and is_further_argument(stacks.file(stack), stacks.line(stack), stacks.column(stack))
    return "" if handed else variable_name(stacks, stack)
