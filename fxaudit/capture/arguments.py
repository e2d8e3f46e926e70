"""The tensors among the arguments and results of a call."""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["is_in", "pairs_of", "takes_all", "tensors_in", "written_by"]


def pairs_of(args: tuple[Any, ...]) -> list[tuple[torch.Tensor, ...]]:
    """The tensors at the same places of two or more lists; nothing where these are of different lengths."""
    lists = [item for item in args if isinstance(item, list | tuple) and item and isinstance(item[0], torch.Tensor)]
    if len(lists) < 2 or len({len(item) for item in lists}) > 1:
        return []
    return list(zip(*lists, strict=True))


def written_by(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[torch.Tensor]:
    """The tensors that a call of `name` writes in place."""
    written: list[torch.Tensor] = []
    if name.startswith("_foreach_") or name == "swap_tensors":
        tensors_in(args[0] if name != "swap_tensors" else args, written, 0)
    elif "out" in kwargs:
        tensors_in(kwargs["out"], written, 0)
    else:
        written.extend(item for item in (*args[:1], *list(kwargs.values())[:1]) if isinstance(item, torch.Tensor))
        del written[1:]
    return written


def takes_all(tensor: torch.Tensor, key: Any) -> bool:
    """Whether an index takes all of a tensor: `[:]`, `[...]`, a mask that is true everywhere."""
    keys = key if isinstance(key, tuple) else (key,)
    for size, part in zip((*tensor.shape, *[None] * len(keys)), keys, strict=False):
        if isinstance(part, slice):
            if size is None or not isinstance(size, int) or any(isinstance(n, torch.Tensor) for n in _ends(part)):
                return False
            if len(range(*part.indices(size))) != size:
                return False
        elif isinstance(part, torch.Tensor) and part.dtype is torch.bool and len(keys) == 1:
            if type(part) is not torch.Tensor or part.device.type == "meta" or not bool(part.all()):
                return False
        elif part is not Ellipsis or len(keys) > 1:
            return False
    return True


def _ends(part: slice) -> tuple[Any, Any, Any]:
    return part.start, part.stop, part.step


def is_in(tensor: torch.Tensor, others: list[torch.Tensor]) -> bool:
    """Whether `tensor` itself is one of `others`."""
    return id(tensor) in map(id, others)


def tensors_in(item: Any, found: list[torch.Tensor], depth: int) -> None:
    """Add the tensors in `item` to `found`, those in tuples, lists and dicts up to three levels below `depth` 0."""
    if isinstance(item, torch.Tensor):
        found.append(item)
    elif isinstance(item, tuple | list):
        if depth < 3:
            for part in item:
                tensors_in(part, found, depth + 1)
    elif isinstance(item, dict) and depth < 3:
        for part in item.values():
            tensors_in(part, found, depth + 1)
