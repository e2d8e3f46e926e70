"""What several processes do to a model: wrappers that mirror it on every process, and shards of its parameters.

`DistributedDataParallel` keeps every Parameter and adds a wrapper around the model. `fully_shard` replaces each
Parameter by a DTensor, and computes with a whole, unsharded Parameter that stands in for it while a module runs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.parallel import DataParallel, DistributedDataParallel
from torch.nn.parameter import is_lazy

from fxaudit.capture.frozen import Mirror
from fxaudit.capture.members import every_module

if TYPE_CHECKING:
    from fxaudit.capture.session import Session

__all__ = [
    "digest",
    "is_one_of_several",
    "is_sharded",
    "is_wrapper",
    "join_shards",
    "mirrors",
    "synchronises",
    "unwrapped",
]

_SHARDING = "torch.distributed.fsdp._fully_shard._fsdp_state"
_STATES = "torch.distributed._composable_state"


def is_wrapper(module: nn.Module) -> bool:
    """Whether `module` only carries another one to several processes or devices, and has no parameters of its own."""
    return isinstance(module, DistributedDataParallel | DataParallel)


def unwrapped(module: nn.Module) -> nn.Module:
    """The model itself, without the wrapper that carries it to several processes or devices."""
    inner = module.module if is_wrapper(module) else module
    return inner if isinstance(inner, nn.Module) else module


def hands_through(function: type) -> bool:
    """Whether a custom function only hands each of its inputs on, as the one around the outputs of
    `DistributedDataParallel` does."""
    return function.__module__ == DistributedDataParallel.__module__ and function.__name__ == "_DDPSink"


def is_one_of_several() -> bool:
    """Whether this process trains together with others."""
    distributed = torch.distributed
    return bool(distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1)


def synchronises(module: nn.Module) -> bool:
    """Whether a call of `module` makes the next backward average the gradients over the processes.

    True of everything that is no `DistributedDataParallel`. Asked at every call, so it must not go through `getattr`.
    """
    return bool(module.__dict__.get("require_backward_grad_sync", True))


def digest(tensor: torch.Tensor) -> str:
    """A number that is the same for the same values, bit for bit, and hardly ever for others; "" where there are none.

    Computed where the tensor is, without copying it: the sum of the bit patterns as integers.
    """
    if is_lazy(tensor) or tensor.device.type == "meta" or tensor.layout is not torch.strided:
        return ""
    plain = torch.view_as_real(tensor.detach()) if tensor.is_complex() else tensor.detach()
    patterns = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}.get(plain.element_size())
    return str(int(plain.contiguous().view(patterns).sum(dtype=torch.int64))) if patterns is not None else ""


def mirrors(session: Session) -> list[Mirror]:
    """Every live `DistributedDataParallel`."""
    found = []
    for info, module in session.live_modules():
        if not isinstance(module, DistributedDataParallel):
            continue
        ignored = set(module.parameters_to_ignore)
        tracks = tuple(
            session.recorder.track(parameter).index
            for name, parameter in module.module.named_parameters()
            if name not in ignored
        )
        calls = [call.index for call in session.record.calls if call.module == info.index and call.training]
        found.append(
            Mirror(
                info.index,
                frozenset(session.module_info(part).index for part in every_module(module.module)),
                tracks,
                not module.find_unused_parameters and not module.static_graph,
                tuple(calls),
                tuple(call for call in calls if call in session.unsynchronised),
            )
        )
    return found


def is_sharded(session: Session) -> bool:
    """Whether any model is sharded over the processes: by `fully_shard`, or by the older wrapper."""
    return any(
        type(module).__module__.startswith("torch.distributed.fsdp")
        or any(hasattr(parameter, "to_local") for parameter in module.parameters(recurse=False))
        for _, module in session.live_modules()
    )


def join_shards(session: Session) -> None:
    """Let every unsharded Parameter of a sharded module count as the DTensor that it stands in for."""
    sharding = sys.modules.get(_SHARDING)
    if sharding is None or not getattr(sys.modules.get(_STATES), "_module_state_mapping", True):
        return  # no module has been sharded
    for _, module in session.live_modules():
        for shard in _shards(sharding, module):
            whole = getattr(shard, "_unsharded_param", None)
            if whole is not None:
                session.recorder.stands_for(whole, shard.sharded_param)


def _shards(sharding: Any, module: nn.Module) -> Iterator[Any]:
    """What torch knows of the sharded parameters of `module` (2.6 has one group a module, 2.13 may have several)."""
    state = sharding._get_module_fsdp_state(module)
    if state is None:
        return
    group = getattr(state, "_fsdp_param_group", None)
    for one in getattr(state, "_fsdp_param_groups", None) or ([group] if group is not None else []):
        yield from one.fsdp_params
