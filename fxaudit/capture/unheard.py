"""fxaudit's own calls of torch, which no mode of the program's hears, and which no subclass of a tensor answers."""

from __future__ import annotations

from types import TracebackType
from typing import Any

import torch
from torch.utils._python_dispatch import _get_current_dispatch_mode_stack, _pop_mode, _push_mode

__all__ = ["UnheardByModes"]


class UnheardByModes:
    """Within it function modes hear nothing, nor does a dispatch mode of the program's: it may count, or change, all
    calls. Those that torch itself puts on, for fake tensors say, stay, and the program's with them."""

    __slots__ = ("_functions", "_modes")

    def __enter__(self) -> None:
        self._functions: Any = torch._C.DisableTorchFunction()
        self._functions.__enter__()
        self._modes: list[Any] = []
        if torch._C._len_torch_dispatch_stack():
            modes = _get_current_dispatch_mode_stack()
            if all(getattr(mode, "_mode_key", None) is None for mode in modes):
                self._modes = [_pop_mode() for _ in modes]

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for mode in reversed(self._modes):
            _push_mode(mode)
        self._functions.__exit__(kind, error, tb)
