"""What training really does with a program, found without fxaudit: independent backwards and steps, bit for bit.

A parameter is trained if in one of the first five steps a finite gradient other than zero arrives, an optimizer holds
it, the step changes its value, and the next forward leaves the change in place.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import nn

STEPS = 5
NOISE = 1e-6
"""A gradient smaller than this part of the largest is rounding noise: whether it changes a value decides nothing."""


@dataclass
class Facts:
    """What was seen of one parameter over all steps."""

    shape: tuple[int, ...]
    frozen: bool = True
    replaced: bool = False
    arrived: bool = False
    is_held: bool = False
    trained: bool = False
    only_noise: bool = False

    @property
    def verdict(self) -> str:
        if self.frozen:
            return "frozen"
        if self.replaced:
            return "replaced"
        if not self.arrived:
            return "unreachable"
        if not self.is_held:
            return "excluded"
        return "trained" if self.trained else "blocked"


@dataclass
class Truth:
    """The verdict of every parameter, and the shapes of tensors outside the model, by verdict."""

    verdicts: dict[str, str] = field(default_factory=dict)
    noise: list[str] = field(default_factory=list)
    outside: dict[str, list[tuple[int, ...]]] = field(default_factory=dict)
    passing: list[tuple[int, ...]] = field(default_factory=list)
    """The shapes of leaves that each forward makes anew: they may be listed as unregistered or not."""
    refused: bool = False

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def truth(module: Any, *, refused: bool = False) -> Truth:
    """Train the program `module` (its `make` and `loss_fn`) and say what happened to every parameter.

    Raises:
        Exception: Whatever the program raises of itself.
    """
    model, batch, made = module.make()
    optimizers = made if isinstance(made, list) else [made]
    before_all = dict(model.named_parameters())
    facts = {name: Facts(tuple(p.shape)) for name, p in before_all.items()}
    held = {id(p): p for o in optimizers for group in o.param_groups for p in group["params"]}
    leaves: Counter[int] = Counter()
    kept: dict[int, torch.Tensor] = {}
    for number in range(STEPS):
        for p in [*before_all.values(), *held.values(), *model.parameters(), *kept.values()]:
            p.grad = None
        values = {name: p.detach().clone() for name, p in model.named_parameters()}
        with_state = torch.get_rng_state()
        try:
            loss = module.loss_fn(model, batch)
        except TypeError:
            if refused:
                return Truth(refused=True)
            raise
        if number == 0:
            for name in _overwritten(module, model, batch, values, with_state):
                facts[name].replaced = True
            loss = module.loss_fn(model, batch)
        for leaf in _leaves(loss):
            leaves[id(leaf)] += 1
            kept[id(leaf)] = leaf
        if loss.requires_grad:
            loss.backward()
        now = dict(model.named_parameters())
        largest = max((float(p.grad.norm()) for p in now.values() if _finite(p.grad)), default=0.0)
        for name, fact in facts.items():
            p = now.get(name)
            if p is None:
                continue
            fact.frozen &= not p.requires_grad
            fact.replaced |= p is not before_all[name]
            fact.arrived |= p.grad is not None
            fact.is_held |= id(p) in held
        previous = {name: p.detach().clone() for name, p in now.items()}
        for optimizer in optimizers:
            optimizer.step()
        for name, fact in facts.items():
            p = now.get(name)
            if p is None or not _finite(p.grad) or not bool(p.grad.any()) or id(p) not in held:
                continue
            if _same(p, previous[name]):
                fact.only_noise |= float(p.grad.norm()) < NOISE * largest
            else:
                fact.trained = True
    for fact in facts.values():
        # What forward throws away was never trained.
        fact.trained &= not fact.replaced
    registered = {id(p) for p in model.parameters()}
    reached = {index for index, count in leaves.items() if count == STEPS}
    outside: dict[str, list[tuple[int, ...]]] = {"unregistered": [], "stale": []}
    for index in reached - registered - set(held):
        outside["unregistered"].append(tuple(kept[index].shape))
    passing = [tuple(kept[index].shape) for index, count in leaves.items() if count < STEPS and index not in registered]
    for index, p in held.items():
        if index not in registered and index not in reached:
            outside["stale"].append(tuple(p.shape))
    verdicts = {name: fact.verdict for name, fact in facts.items()}
    noise = [name for name, fact in facts.items() if fact.only_noise and fact.verdict == "blocked"]
    return Truth(verdicts, noise, {key: sorted(shapes) for key, shapes in outside.items()}, passing)


def _finite(gradient: torch.Tensor | None) -> bool:
    return gradient is not None and bool(torch.isfinite(gradient).all())


def _same(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two tensors hold the same bits."""
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return torch.equal(torch.nan_to_num(one.detach(), nan=1.5e30), torch.nan_to_num(other.detach(), nan=1.5e30))


def _overwritten(
    module: Any, model: nn.Module, batch: Any, values: dict[str, torch.Tensor], state: torch.Tensor
) -> set[str]:
    """Those parameters whose value after a forward does not depend on their value before."""
    buffers = {name: b.detach().clone() for name, b in model.named_buffers()}
    after = []
    for shift in (0.37, 0.0):
        torch.set_rng_state(state)
        now = dict(model.named_parameters())
        for name in values.keys() & now.keys():
            now[name].data = values[name] + shift
        module.loss_fn(model, batch)
        after.append({name: p.detach().clone() for name, p in model.named_parameters()})
    written = {name for name in values if name in after[0] and _same(after[0][name], after[1][name])}
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name in values and name not in written:
                p.data = values[name].clone()
        for name, b in model.named_buffers():
            if name in buffers and b.shape == buffers[name].shape and not b.is_inference():
                b.copy_(buffers[name])
    return written


def _leaves(loss: torch.Tensor) -> list[torch.Tensor]:
    """The leaf tensors that a backward from `loss` would reach."""
    found: dict[int, torch.Tensor] = {}
    queue, seen = [loss.grad_fn] if loss.grad_fn is not None else [], set()
    if loss.grad_fn is None and loss.requires_grad:
        found[id(loss)] = loss
    while queue:
        node = queue.pop()
        if node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            found[id(node.variable)] = node.variable
        queue.extend(after for after, _ in node.next_functions if after is not None)
    return list(found.values())
