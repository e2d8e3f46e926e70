"""Saving and loading of weights."""
from __future__ import annotations

import io

import torch
from torch import nn

from . import zoo


def pretrained_file(arch: str) -> io.BytesIO:
    """A stand-in for downloaded weights, as an open file."""
    gen_state = torch.get_rng_state()
    torch.manual_seed(99)
    donor = zoo.create(arch)
    torch.set_rng_state(gen_state)
    handle = io.BytesIO()
    torch.save({"state_dict": {f"module.{k}": v for k, v in donor.state_dict().items()}}, handle)
    handle.seek(0)
    return handle


def load_into(model: nn.Module, handle, skip_prefixes=()) -> list[str]:
    state = torch.load(handle, map_location="cpu")["state_dict"]
    state = {k.removeprefix("module."): v for k, v in state.items()}
    state = {k: v for k, v in state.items() if not k.startswith(tuple(skip_prefixes))}
    result = model.load_state_dict(state, strict=False)
    return list(result.missing_keys)


class Snapshot:
    """In-memory copy of the weights to go back to."""

    def __init__(self, model: nn.Module) -> None:
        self.state = {k: v.detach().clone() for k, v in model.state_dict().items()}

    def restore(self, model: nn.Module) -> None:
        model.load_state_dict(self.state)
