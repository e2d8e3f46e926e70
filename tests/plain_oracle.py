"""What training really does with a program: it is trained plainly, and values are compared. Nothing of fxaudit is used.

`Tensor.backward` and the `step` of each optimizer are looked at from outside: which parameters have a gradient after
the one, and which values differ after the other.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

__all__ = ["Fact", "observed", "plainly_trained"]

NOISE = 1e-6
"""A gradient smaller than this part of the largest is rounding noise, and decides nothing."""
LOST = torch.finfo(torch.float32).eps
"""Nor does one by which the parameter, changed by all of itself, would change the loss by less than its last digit."""


@dataclass
class Fact:
    """What was seen of one parameter over all steps; `frozen` is what it is at the end."""

    frozen: bool = True
    arrived: bool = False
    held: bool = False
    trained: bool = False
    noisy: bool = False
    spoilt: bool = False
    """A step left a number in it that is not finite, and none has mended that."""
    stepped: bool = False
    never_finite: bool = False
    """It was stepped, and each time by a gradient that was not finite."""

    @property
    def verdict(self) -> str:
        """The verdict that training proves."""
        if self.trained and not self.spoilt:
            return "trained"
        if self.frozen:
            return "frozen"
        if not self.arrived:
            return "unreachable"
        return "blocked" if self.held else "excluded"


def plainly_trained(program: dict[str, Any], steps: int) -> tuple[dict[str, Fact], list[bytes]]:
    """The facts of each parameter by name, and the bits of what is there at the end.

    Raises:
        Exception: Whatever the program raises.
    """
    model, optimizers = program["make"]()
    facts = {name: Fact() for name, _ in model.named_parameters()}
    held = {id(p) for o in optimizers for group in o.param_groups for p in group["params"]}
    for name, parameter in model.named_parameters():
        facts[name].held = id(parameter) in held
    with _looking(model, facts), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program["train"](model, optimizers, steps)
    end = observed(model, optimizers)
    if any(fact.never_finite for fact in facts.values()):  # that is what is broken, and the others follow
        for fact in facts.values():
            fact.spoilt = False
    if not any(fact.arrived for fact in facts.values()):  # no backward ran: what would one have reached?
        _ask_every_loss(program, facts, steps)
    return facts, end


def _ask_every_loss(program: dict[str, Any], facts: dict[str, Fact], steps: int) -> None:
    model, optimizers = program["make"]()

    def ask(loss: torch.Tensor) -> None:
        asked = {name: p for name, p in model.named_parameters() if p.requires_grad}
        if not asked or not loss.requires_grad:
            return
        found = torch.autograd.grad(loss, list(asked.values()), allow_unused=True, retain_graph=True)
        for name, gradient in zip(asked, found, strict=True):
            facts[name].arrived |= gradient is not None

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program["train"](model, optimizers, steps, ask)


def observed(model: nn.Module, optimizers: list[Any]) -> list[bytes]:
    """Weights, gradients, optimizer state and random numbers, bit for bit."""
    tensors = [*model.parameters(), *(p.grad for p in model.parameters() if p.grad is not None)]
    for optimizer in optimizers:
        for state in optimizer.state.values():
            tensors += [value for value in state.values() if isinstance(value, torch.Tensor)]
    found = [t.detach().clone().reshape(-1).view(torch.uint8).numpy().tobytes() for t in tensors]
    return [*found, torch.get_rng_state().numpy().tobytes(), str(len(tensors)).encode()]


@contextmanager
def _looking(model: nn.Module, facts: dict[str, Fact]) -> Iterator[None]:
    backward = torch.Tensor.backward
    losses = [0.0]

    def after_backward(self: torch.Tensor, *args: Any, **kwargs: Any) -> None:
        backward(self, *args, **kwargs)
        losses.append(abs(float(self.detach().sum())))
        for name, parameter in model.named_parameters():
            facts[name].frozen = not parameter.requires_grad
            facts[name].arrived |= parameter.grad is not None

    def note_values(optimizer: Any, args: Any, kwargs: Any) -> None:
        optimizer._values = {name: p.detach().clone() for name, p in model.named_parameters()}

    def after(optimizer: Any, args: Any, kwargs: Any) -> None:
        own = {id(p) for group in optimizer.param_groups for p in group["params"]}
        norms = {n: float(p.grad.norm()) for n, p in model.named_parameters() if p.grad is not None}
        largest = max(norms.values(), default=0.0)
        for name, parameter in model.named_parameters():
            facts[name].frozen = not parameter.requires_grad
            if id(parameter) not in own or not norms.get(name):
                continue
            if norms[name] < NOISE * largest or norms[name] * float(parameter.norm()) < LOST * losses[-1]:
                facts[name].noisy = True
            before = optimizer._values[name]
            changed, is_finite = not torch.equal(parameter, before), bool(torch.isfinite(parameter.grad).all())
            facts[name].never_finite = not is_finite and (facts[name].never_finite or not facts[name].stepped)
            facts[name].stepped = True
            facts[name].trained |= changed and is_finite
            if bool(torch.isfinite(parameter).all()):
                facts[name].spoilt = False
            else:
                facts[name].spoilt |= bool(torch.isfinite(before).all())

    from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

    torch.Tensor.backward = after_backward  # type: ignore[method-assign]
    hooks = [register_optimizer_step_pre_hook(note_values), register_optimizer_step_post_hook(after)]
    try:
        yield
    finally:
        torch.Tensor.backward = backward  # type: ignore[method-assign]
        for hook in hooks:
            hook.remove()
        for name, parameter in model.named_parameters():
            facts[name].frozen = not parameter.requires_grad
