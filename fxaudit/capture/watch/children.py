"""Processes that the program starts itself: what they train is not seen from here."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from types import CellType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from fxaudit.attempts import attempt
from fxaudit.capture.naming import is_own_object
from fxaudit.capture.patches import Patches
from fxaudit.capture.reading import is_leaf

if TYPE_CHECKING:
    from fxaudit.capture.session import Session

__all__ = ["install"]

LOADING = "torch.utils.data"
"""The module whose processes load data; they train nothing."""
THINGS = (nn.Module, torch.Tensor, torch.optim.Optimizer)
DEPTH = 4


def install(session: Session, patches: Patches) -> None:
    """Note which models are handed to processes that are started, and whether some may have got one unseen."""
    original = BaseProcess.start

    @functools.wraps(original)
    def start(self: BaseProcess) -> None:
        if session.on or session.is_resting:
            attempt("a process that the program starts", lambda: _note(session, self), None, session.notes)
        original(self)

    patches.replace(BaseProcess, "start", start)


def _note(session: Session, process: BaseProcess) -> None:
    target = getattr(process, "_target", None)
    if getattr(target, "__module__", "").startswith(LOADING):
        return
    given = (target, getattr(process, "_args", ()), getattr(process, "_kwargs", {}), _attributes(process))
    with session.quietly():
        found = list(_handed(given, DEPTH))
        for parameter in found:
            session.elsewhere.add(session.recorder.track(parameter).index)
    if not found:
        session.blind_children = True


def _attributes(process: BaseProcess) -> dict[str, Any]:
    """What a subclass of `Process` was given as attributes of its own."""
    return {name: value for name, value in vars(process).items() if not name.startswith("_")}


def _handed(item: Any, depth: int) -> Iterator[torch.Tensor]:
    """The parameters among what a process is given: of modules, of optimizers, and on their own."""
    kind = type(item)  # asked of the type: an object may answer `isinstance` with code of its own
    if issubclass(kind, nn.Module):
        yield from item.parameters()
    elif issubclass(kind, torch.Tensor):
        if item.requires_grad and is_leaf(item):
            yield item
    elif issubclass(kind, torch.optim.Optimizer):
        for group in item.param_groups:
            yield from group["params"]
    elif depth > 0:
        for part in _parts(item):
            yield from _handed(part, depth - 1)


def _parts(item: Any) -> list[Any]:
    kind = type(item)
    if issubclass(kind, dict):
        return list(item.values())
    if issubclass(kind, list | tuple | set | frozenset):
        return list(item)
    if kind is functools.partial:
        return [item.func, item.args, item.keywords]
    if kind is MethodType:
        return [item.__self__, item.__func__]
    if kind is FunctionType:  # a forked process inherits what its function reads
        cells = [cell.cell_contents for cell in item.__closure__ or () if _is_filled(cell)]
        names = (item.__globals__.get(name) for name in item.__code__.co_names)
        return [*cells, *(value for value in names if issubclass(type(value), THINGS))]
    if is_own_object(item):
        return list(vars(item).values())
    return []


def _is_filled(cell: CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False
