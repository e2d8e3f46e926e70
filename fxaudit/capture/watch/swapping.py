"""`torch.utils.swap_tensors`: two tensors exchange their contents, and each keeps its identity.

It is how `.to()`, `to_empty()` and `load_state_dict()` convert DTensors, wrapper subclasses, and, where
`torch.__future__.set_swap_module_params_on_conversion(True)` was called, everything. It refuses tensors to which
somebody holds a weak reference. Ours stay right, because they follow the Python object, so they are hidden from it.
"""

from __future__ import annotations

import functools
import types
import weakref
from typing import TYPE_CHECKING, Any

import torch

from fxaudit.capture.patches import Patches

if TYPE_CHECKING:
    from fxaudit.capture.session import Session

__all__ = ["install"]


def install(session: Session, patches: Patches) -> None:
    """Hide our weak references from `swap_tensors`, and record what it exchanges."""
    _hide_references(session, patches)
    original: Any = torch.utils.swap_tensors
    recorder = session.recorder

    @functools.wraps(original)
    def swap_tensors(t1: Any, t2: Any) -> None:
        if not session.on:
            original(t1, t2)
            return
        stack = session.stack()
        inputs = (*recorder.values_of(t1), *recorder.values_of(t2))
        with session.quietly():
            original(t1, t2)
        recorder.note_swap(stack, inputs, t1, t2)

    patches.replace(torch.utils, "swap_tensors", swap_tensors)


def _hide_references(session: Session, patches: Patches) -> None:
    """`swap_tensors` looks for weak references through its module's `weakref`, also where it was imported by name."""
    seen = types.SimpleNamespace(**vars(torch.utils.weakref))  # type: ignore[attr-defined]
    inner = seen.getweakrefs

    def getweakrefs(thing: Any) -> list[weakref.ref[Any]]:
        held = (*session.recorder.references_to(thing), *session.lines.writer.references_to(thing))
        ours = {id(reference) for reference in held}
        return [reference for reference in inner(thing) if id(reference) not in ours]

    seen.getweakrefs = getweakrefs
    patches.replace(torch.utils, "weakref", seen)
