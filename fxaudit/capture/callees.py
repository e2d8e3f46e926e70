"""What is known of a torch function: how it is called in reports, and how a call of it is treated."""

from __future__ import annotations

from typing import Any

import torch

from fxaudit.capture import operations

__all__ = ["Callee", "learn"]


class Callee:
    """A torch function: its printable name and how to treat it."""

    __slots__ = (
        "assigns", "checks", "copies", "cuts", "first_only", "from_array", "is_plain", "kind", "lists", "mutates",
        "name", "scales", "shape_only",
    )  # fmt: skip

    def __init__(self, name: str, kind: str, mutates: bool) -> None:
        self.name, self.kind, self.mutates = name, kind, mutates
        operation = operations.of(name)
        self.shape_only, self.first_only = operation.takes == "shape", operation.takes == "first"
        self.checks, self.from_array = operation.checks, operation.reads_python
        self.scales = bool(operation.scaled)
        """It may be told a factor by a number."""
        self.cuts = operation.detaches and not mutates
        """What it makes never requires grad."""
        self.is_plain = not mutates and not self.checks
        self.assigns = name == "__setitem__"
        self.copies, self.lists = name == "__deepcopy__", mutates and name.startswith("_foreach_")


def learn(function: Any) -> Callee:
    """What is known of `function`, as a function mode gets it."""
    name = getattr(function, "__name__", None) or str(function)
    if isinstance(function, torch._ops.OpOverload):
        name = function._schema.name.rpartition("::")[2]  # exported programs call `aten.detach.default`
    if name in ("__get__", "__set__", "__delete__"):
        owner = getattr(getattr(function, "__self__", None), "__name__", "")
        owner = "grad" if owner == "_grad" else owner
        if name == "__get__":
            if owner in ("requires_grad", "grad_fn"):
                return Callee(owner, "asked", False)
            if operations.of(owner).quiet:
                return Callee(owner, "quiet", False)
            return Callee(owner, "grad" if owner == "grad" else "call", False)
        return Callee(owner, f"set {owner}", owner == "data")
    if name == "_set_grad_enabled":
        return Callee(name, "mode", False)
    operation = operations.of(name)
    if operation.quiet:
        return Callee(name, "quiet", False)
    if operation.escapes in ("number", "array"):
        return Callee(name, "escape", False)
    if name in ("backward", "requires_grad_") or name.startswith("register_"):
        return Callee(name, name, False)
    return Callee(name, "call", operation.writes)
