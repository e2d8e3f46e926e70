"""How large the numbers are that a line of the user's makes: looked at once, when the line runs for the first time."""

from __future__ import annotations

import math

import torch
from torch.utils._python_dispatch import _get_current_dispatch_mode

from fxaudit.capture.recording import Record, Size
from fxaudit.capture.unheard import UnheardByModes
from fxaudit.program.source import is_library

__all__ = ["Sizes"]

MOST_LOOKS = 4_000
MOST_ELEMENTS = 1 << 24
"""Larger tensors are not read."""

_PLAIN = (torch.Tensor, torch.nn.Parameter)
_transforms = torch._C._functorch.peek_interpreter_stack


class Sizes:
    """Fills `Record.sizes`. Nothing that counts or rewrites torch calls gets to see the looks."""

    def __init__(self, record: Record) -> None:
        self._of, self._stacks = record.sizes, record.stacks
        self._left = MOST_LOOKS

    def look(self, stack: int, name: str, made: torch.Tensor) -> None:
        """An operation called `name`, at `stack`, has made a tensor."""
        known = self._of.get(stack)
        if known is not None and name in known:
            return
        if self._left <= 0 or stack < 0 or is_library(self._stacks.file(stack)) or not _may_be_read(made):
            return
        self._left -= 1
        self._of.setdefault(stack, {})[name] = _size(made)


def _may_be_read(tensor: torch.Tensor) -> bool:
    """Whether it has numbers of its own, and reading them leaves no trace: in a graph that is captured, a count."""
    if _transforms() is not None or _get_current_dispatch_mode() is not None:
        return False
    if torch._C._get_tracing_state() is not None or type(tensor) not in _PLAIN:
        return False
    if (
        tensor.layout is not torch.strided
        or tensor.dtype is torch.bool
        or tensor.is_complex()
        or tensor.is_quantized
        or tensor.is_nested
        or tensor.device.type == "meta"
        or not 0 < tensor.numel() <= MOST_ELEMENTS
    ):
        return False
    return not tensor.is_cuda or not (torch.cuda.is_current_stream_capturing() or torch.cuda.get_sync_debug_mode())


def _size(tensor: torch.Tensor) -> Size | None:
    """The smallest of its numbers, their mean and the largest; None for what is not finite, or cannot be known."""
    try:
        with UnheardByModes():
            plain = tensor.detach()
            low, high = torch.aminmax(plain)
            mean = plain.mean(dtype=torch.float32)
            numbers = torch.stack([low.float(), mean, high.float()]).tolist()
    except (RuntimeError, NotImplementedError, TypeError):
        return None  # this kind of numbers has no order here
    low_end, middle, high_end = (number if math.isfinite(number) else None for number in numbers)
    return low_end, middle, high_end
