"""Activations and clamps that are flat where their inputs lie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from fxaudit.capture.facts.fact import Derivative, Fact, FactExample, Family, are, number, places

__all__ = ["ACTIVATIONS"]

DEAD = "Give it inputs above 0 at the start (its bias, its initialisation), or use an activation that is flat nowhere."
EXCHANGED = "Exchange the two bounds: the lower one comes first."
OUTSIDE = "Bring its inputs into the range in which it is not flat: scale them, or widen the bounds."
SATURATED = "Make its inputs smaller: normalise what goes in, or scale the weights before it."
NORMALISE = "Normalise what goes in: subtract its mean and divide by its standard deviation before it becomes a batch."
LARGE = 30.0
"""The root of the mean square of what a layer is given, from which on it counts as not scaled: ten times what such a
layer is initialised for and more."""
LAYERS = {"Addmm": "mat1", "Mm": "self", "Convolution": "input"}
"""Node → the name under which it keeps what the layer is given."""
ENDS = {"Tanh": ("tanh", (-1.0, 1.0), "-1 or 1"), "Sigmoid": ("sigmoid", (0.0, 1.0), "0 or 1")}
"""Node → (name, the two values at which it is flat, the same in words)."""
BOUNDS: dict[str, tuple[str, Callable[[Derivative], tuple[Any, Any]]]] = {
    "Hardtanh": ("hardtanh", lambda d: (d.saved("min_val"), d.saved("max_val"))),
    "Clamp": ("clamp", lambda d: (d.saved("min"), d.saved("max"))),
    "ClampMin": ("clamp", lambda d: (d.saved("min"), None)),
    "ClampMax": ("clamp", lambda d: (None, d.saved("max"))),
    "Hardsigmoid": ("hardsigmoid", lambda d: (-3.0, 3.0)),
    "Hardswish": ("hardswish", lambda d: (-3.0, None)),
    "Threshold": ("threshold", lambda d: (d.saved("threshold"), None)),
}
"""Node → (name, the bounds outside which it is flat)."""
TAILS = {
    "Gelu": "gelu",
    "Silu": "silu",
    "Elu": "elu",
    "Softplus": "softplus",
    "Mish": "mish",
    "LogSigmoid": "logsigmoid",
}
"""Smooth functions with a flat tail, by node."""


def _ask(derivative: Derivative) -> Fact | None:
    name = derivative.name
    if name == "Relu":
        return _dead(derivative)
    if name in ENDS:
        return _at_the_ends(derivative)
    if name in BOUNDS:
        return _outside(derivative)
    if name == "Softshrink" or name == "Hardshrink":
        return _shrunk(derivative)
    return _in_the_tail(derivative)


def _dead(derivative: Derivative) -> Fact | None:
    result = derivative.tensor("result")
    if result is None:
        return None
    alive = derivative.alive(result)
    if alive.numel() == 0 or bool((alive != 0).any()):
        return None
    count = alive.numel()
    if count == result.numel():
        return Fact(f"{places(count, 'input')} of `relu` {are(count)} 0 or less", DEAD)
    return Fact(f"`relu` is 0 at {places(count, 'element')} to which gradient comes", DEAD)


def _at_the_ends(derivative: Derivative) -> Fact | None:
    name, (low, high), words = ENDS[derivative.name]
    result = derivative.tensor("result")
    if result is None or result.is_complex():
        return None
    alive = derivative.alive(result)
    if alive.numel() == 0 or not bool(((alive == low) | (alive == high)).all()):
        return None
    if bool((alive == alive[0]).all()):
        words = number(alive[0])
    seen = f"`{name}` of {places(alive.numel(), 'input')} is {words} to the last digit, where it is flat"
    given = _given_large(derivative)
    if given:
        return Fact(f"{seen}; {given}", NORMALISE, given_large=True)
    return Fact(seen, SATURATED)


def _given_large(derivative: Derivative) -> str:
    """That the layer just before is given far larger numbers than its weights expect, in words; "" where it is not."""
    layer = derivative.before()
    if layer is None or layer.name not in LAYERS:
        return ""
    given = layer.tensor(LAYERS[layer.name])
    if given is None or not given.is_floating_point() or float(given.double().square().mean().sqrt()) < LARGE:
        return ""
    return f"the layer before it is given numbers up to {number(given.abs().max())}"


def _outside(derivative: Derivative) -> Fact | None:
    name, bounds = BOUNDS[derivative.name]
    inputs = derivative.tensor("self")
    low, high = bounds(derivative)
    if inputs is None or isinstance(low, torch.Tensor) or isinstance(high, torch.Tensor):
        return None
    alive = derivative.alive(inputs)
    if alive.numel() == 0:
        return None
    if low is not None and high is not None and low > high:
        words = f"the lower bound of `{name}`, {number(low)}, lies above the upper one, {number(high)}"
        return Fact(f"{words}: it gives {number(high)} whatever it is given", EXCHANGED)
    below, above = low is not None and bool((alive <= low).all()), high is not None and bool((alive >= high).all())
    both = low is not None and high is not None and bool(((alive <= low) | (alive >= high)).all())
    if not (below or above or both):
        return None
    count, seen = alive.numel(), f"{places(alive.numel(), 'input')} of `{name}`"
    if below:
        most = _largest(alive, number(alive.max()))
        return Fact(f"{seen} {are(count)} at most {number(low)} ({most}), where it is flat", OUTSIDE)
    if above:
        least = _smallest(alive, number(alive.min()))
        return Fact(f"{seen} {are(count)} at least {number(high)} ({least}), where it is flat", OUTSIDE)
    return Fact(f"{seen} lie outside [{number(low)}, {number(high)}], where it is flat", OUTSIDE)


def _shrunk(derivative: Derivative) -> Fact | None:
    inputs, lambd = derivative.tensor("self"), derivative.saved("lambd")
    if inputs is None or lambd is None:
        return None
    alive = derivative.alive(inputs)
    if alive.numel() == 0 or bool((alive.abs() > lambd).any()):
        return None
    name = derivative.name.lower()
    return Fact(f"{places(alive.numel(), 'input')} of `{name}` lie within ±{number(lambd)}, where it is 0", OUTSIDE)


def _in_the_tail(derivative: Derivative) -> Fact | None:
    inputs = derivative.tensor("self")
    if inputs is None:
        return None
    alive = derivative.alive(inputs)
    if alive.numel() == 0 or not bool((alive < -8).all()):  # nearer to 0 none of them is flat in any precision
        return None
    count, most = alive.numel(), number(alive.max())
    seen = f"{places(count, 'input')} of `{TAILS[derivative.name]}` {are(count)} far below 0"
    return Fact(f"{seen} ({_largest(alive, most)}), where it is flat", SATURATED)


def _largest(alive: torch.Tensor, most: str) -> str:
    return most if alive.numel() == 1 else f"the largest is {most}"


def _smallest(alive: torch.Tensor, least: str) -> str:
    return least if alive.numel() == 1 else f"the smallest is {least}"


def _of(
    function: Callable[[torch.Tensor], torch.Tensor], *values: float
) -> Callable[[], tuple[torch.Tensor, torch.Tensor]]:
    def make() -> tuple[torch.Tensor, torch.Tensor]:
        leaf = torch.tensor(values, requires_grad=True)
        return leaf, function(leaf).sum()

    return make


ACTIVATIONS = Family(
    frozenset({"Relu", "Softshrink", "Hardshrink", *ENDS, *BOUNDS, *TAILS}),
    _ask,
    (
        FactExample(_of(torch.relu, -3.0, -0.13), "all 2 inputs of `relu` are 0 or less"),
        FactExample(
            _of(lambda x: torch.relu(x) * torch.tensor([0.0, 1.0]), 3.0, -0.5),
            "`relu` is 0 at the one element to which gradient comes",
        ),
        FactExample(_of(torch.tanh, 1990.0, 2024.0), "`tanh` of all 2 inputs is 1 to the last digit, where it is flat"),
        FactExample(
            _of(torch.sigmoid, -200.0, 200.0), "`sigmoid` of all 2 inputs is 0 or 1 to the last digit, where it is flat"
        ),
        FactExample(
            _of(lambda w: torch.tanh(torch.tensor([[4000.0, 1.0], [5000.0, 1.0]]) @ w.reshape(2, 1)), 0.5, 0.25),
            "`tanh` of all 2 inputs is 1 to the last digit, where it is flat; the layer before it is given numbers up"
            " to 5000",
        ),
        FactExample(
            _of(torch.nn.functional.relu6, 7.0, 9.0),
            "all 2 inputs of `hardtanh` are at least 6 (the smallest is 7), where it is flat",
        ),
        FactExample(
            _of(lambda x: x.clamp(min=0.5), 0.25, 0.125),
            "all 2 inputs of `clamp` are at most 0.5 (the largest is 0.25), where it is flat",
        ),
        FactExample(
            _of(lambda x: x.clamp(-1, 1), -4.0, 4.0), "all 2 inputs of `clamp` lie outside [-1, 1], where it is flat"
        ),
        FactExample(
            _of(lambda x: x.clamp(2, -4), -1.0, 3.0),
            "the lower bound of `clamp`, 2, lies above the upper one, -4: it gives -4 whatever it is given",
        ),
        FactExample(
            _of(torch.nn.functional.softshrink, 0.25, -0.25),
            "all 2 inputs of `softshrink` lie within ±0.5, where it is 0",
        ),
        FactExample(
            _of(torch.nn.functional.silu, -500.0, -700.0),
            "all 2 inputs of `silu` are far below 0 (the largest is -500), where it is flat",
        ),
    ),
)
