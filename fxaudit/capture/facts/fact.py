"""What a fact is, and what it is read from: an autograd node whose derivative has just been computed.

An autograd node keeps the tensors that its derivative is made of, as `_saved_self`, `_saved_result`, … (the names are
those of torch's derivatives.yaml). A fact is said only of what these numbers show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch

from fxaudit.capture.recording import OPERATION, Fact

__all__ = ["OPERATION", "Derivative", "Fact", "FactExample", "Family", "are", "fact_of", "number", "places", "size"]


@dataclass(frozen=True)
class FactExample:
    """A loss whose gradient for `leaf` shows the fact, and the sentence that is true of it."""

    make: Callable[[], tuple[torch.Tensor, torch.Tensor]]
    """() → (leaf, loss)."""
    sentence: str
    gradient: Literal["zero", "nonfinite"] = "zero"


@dataclass(frozen=True)
class Family:
    """Operations whose derivatives vanish, or stop being finite, for the same kind of reason."""

    nodes: frozenset[str]
    """Names of autograd nodes, without `Backward` and the number."""
    ask: Callable[[Derivative], Fact | None]
    examples: tuple[FactExample, ...]
    gradient: Literal["zero", "nonfinite"] = "zero"
    """The state of the outgoing gradient that is explained."""


RESHAPING = ("View", "UnsafeView", "ReshapeAlias", "Transpose", "Permute", "T", "Squeeze", "Unsqueeze", "Clone")
MAX_RESHAPED = 6


class Derivative:
    """One autograd node, the gradient that came in, and the position of the input whose gradient is asked about."""

    def __init__(self, node: Any, position: int, incoming: Sequence[Any], outgoing: Sequence[Any]) -> None:
        self._node = node
        self.position = position
        self.incoming = incoming[0] if incoming and isinstance(incoming[0], torch.Tensor) else None
        self.outgoing = outgoing[position] if position < len(outgoing) else None

    @property
    def name(self) -> str:
        """`Relu` of `ReluBackward0`."""
        full: str = self._node.name()
        return full.rpartition("::")[2].partition("Backward")[0]

    def saved(self, key: str) -> Any:
        """What the node keeps under `key`: a tensor, a number, a list; None where it keeps no such thing any more.

        What somebody's `saved_tensors_hooks` packed (a checkpoint, an offload) is left alone: to unpack it would run
        their code once more.
        """
        try:
            raw = getattr(self._node, f"_raw_saved_{key}", None)
            if raw is not None and getattr(raw, "unpack_hook", raw) is not None:  # before torch 2.6 nothing tells: None
                return None
            return getattr(self._node, f"_saved_{key}", None)
        except RuntimeError:  # freed, or written in place since
            return None

    def tensor(self, key: str) -> torch.Tensor | None:
        """The same where it is a plain tensor with elements."""
        found = self.saved(key)
        if not isinstance(found, torch.Tensor) or type(found) not in (torch.Tensor, torch.nn.Parameter):
            return None
        if found.layout is not torch.strided or found.numel() == 0 or found.device.type == "meta":
            return None
        return found.detach()

    def before(self) -> Derivative | None:
        """The node that computed the input asked about; those that only give it another shape are passed over."""
        node = self._node
        for _ in range(MAX_RESHAPED):
            following = node.next_functions
            position = self.position if node is self._node else 0
            node = following[position][0] if position < len(following) else None
            if node is None:
                return None
            found = Derivative(node, 0, (), ())
            if found.name not in RESHAPING:
                return found
        return None

    def alive(self, like: torch.Tensor) -> torch.Tensor:
        """The elements of `like` to which some gradient comes; all of them where the shapes do not tell."""
        gradient = self.incoming
        if gradient is None or gradient.layout is not torch.strided or gradient.shape != like.shape:
            return like.flatten()
        return like[gradient != 0]


def fact_of(
    families: Sequence[Family],
    node: Any,
    position: int,
    incoming: Sequence[Any],
    outgoing: Sequence[Any],
    gradient: Literal["zero", "nonfinite"],
) -> Fact | None:
    """Why the gradient that `node` hands on at `position` is exactly zero, or not finite; None where no family knows.

    Asked inside the node's own hook, while it still has what it kept. Changes nothing.
    """
    derivative = Derivative(node, position, incoming, outgoing)
    return next(
        (fact for family in _knowing(families, derivative.name, gradient) if (fact := family.ask(derivative))), None
    )


def _knowing(families: Sequence[Family], name: str, gradient: str) -> Iterator[Family]:
    return (family for family in families if name in family.nodes and family.gradient == gradient)


def number(value: Any) -> str:
    """`1.23e-09`, `0.5`, `-100`."""
    plain = float(value)
    return str(int(plain)) if plain == int(plain) and abs(plain) < 1e6 else f"{plain:.3g}"


def size(tensor: torch.Tensor) -> str:
    """`32 × 20`; `one number`."""
    return " × ".join(map(str, tensor.shape)) or "one number"


def places(count: int, noun: str, plural: str = "") -> str:
    """`all 12 inputs`, `the one input`."""
    return f"the one {noun}" if count == 1 else f"all {count} {plural or f'{noun}s'}"


def are(count: int) -> str:
    """The verb that follows."""
    return "is" if count == 1 else "are"
