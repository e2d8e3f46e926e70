"""What is known of one torch operation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Operation"]

Gradient = Literal["unknown", "passes", "flat", "steps", "none"]
Parts = Literal["", "choice", "choice along", "two", "counted", "listed", "counted or listed", "given", "unbound"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the table: an operation and its traits.

    A trait that a row does not mention is one that the operation has not; one without a row has none of which anybody
    knows, and its gradient is `unknown`.
    """

    name: str
    also: tuple[str, ...] = ()
    """Other names that torch gives it."""
    operator: str = ""
    """Python's names of the operator that means it: `truediv` for `/`. Forms such as `__itruediv__` follow from it."""

    gradient: Gradient = "passes"
    """`flat`: the derivative is zero on some stretch of numbers. `steps`: it is zero everywhere. `none`: the result
    never requires grad, or no backward gets past it."""
    detaches: bool = False
    """Gradient ends at it, which is its purpose."""
    rewraps: Literal["", "always", "lists"] = ""
    """Makes a new leaf of the value that it is given; `lists`: unless that is one tensor."""
    bookkeeping: bool = False
    """Computes nothing: makes a leaf of a tensor, or asks for its gradient."""
    bend: Literal["", "kinked", "curved"] = ""
    """A function of each element alone, or of each row: `kinked` if its second derivative is zero."""
    pole: Literal["", "always", "division", "power"] = ""
    """Makes an infinity, or NaN, of some finite numbers, itself or on the way back."""
    rests: bool = False
    """What losses are made of, and rightly flat on some batches."""

    measures: bool = False
    """How far the first tensor is from the second, which is its target."""

    takes: Literal["values", "shape", "first"] = "values"
    """`shape`: nothing of its tensors but shape and type. `first`: the values of the first, the shape of the rest."""
    view: bool = False
    """The result shares its memory with the first tensor, where it can."""
    copies: bool = False
    """The same numbers in other memory, of another type or on another device."""
    selects: bool = False
    """Takes a part."""
    joins: bool = False
    """Puts tensors together, or a frame around one."""
    of_zeros: Literal["", "zeros", "ones"] = ""
    """What it makes of zeros alone."""
    overwrites: Literal["", "part", "all"] = ""
    """How much of the first tensor has no part in the result, because something else takes its place."""
    preserves: bool = False
    """Its form in place leaves something of what was there, to which it adds or which it scales."""

    factors: bool = False
    """Multiplies its tensors with each other: zeros in one annihilate the others."""
    scaled: tuple[int, ...] = ()
    """The positions of the tensors that a number given beside them scales."""
    multiple: bool = False
    """A multiple of its first tensor."""
    bias: bool = False
    """Adds a vector to the product."""
    sums: bool = False
    """A sum, or difference, of its two tensors."""
    subtracts: bool = False
    totals: bool = False
    """The sum or the mean of all elements."""
    reduces: bool = False
    """One number, or one for each row."""
    normalises: bool = False
    recurrent: bool = False
    attends: bool = False
    looks_up: bool = False
    """Rows of a table by their indices."""
    drops: bool = False
    """Sets elements to zero at random."""
    masks: bool = False
    """Takes one thing or another by a mask."""
    compares: bool = False
    """Makes masks."""
    bounds: bool = False
    """Compares with a bound: what is greater, or less. What is equal to a label is chosen by it."""
    limits: bool = False
    """Keeps its first tensor within bounds that it is given."""
    checks: bool = False
    """A program looks for NaN and infinity by it."""
    counts: bool = False
    """Gives as many elements as the numbers say."""
    spells: bool = False
    """Makes ones and zeros of the indices that it is given."""

    fresh: Literal["", "zeros", "numbers", "random", "memory"] = ""
    """Makes numbers of its own, whatever it takes the shape from."""
    draws: bool = False
    """Draws at random."""
    factory: bool = False
    """Makes a tensor without being given one."""
    sized: bool = False
    """A factory that needs a size and nothing else."""
    reads_python: bool = False
    """Makes a tensor of numbers, or of an array, that Python had."""
    escapes: Literal["", "number", "array", "memory"] = ""
    """What of the value leaves torch."""

    pointwise: bool = False
    """The result has the shape of the tensors, broadcast."""
    dtype: str = ""
    """The type of the result, whatever comes in."""
    parts: Parts = ""
    """What the result consists of, where it is not one tensor: `choice` is (values, indices), with `along` only if a
    dimension is given; `counted` as many as a number says, `listed` as a list says; `given`: one for each tensor."""
    silent: bool = False
    """Gives nothing back that a model could go on with."""
    quiet: bool = False
    """Tells about a tensor, or about torch; no tensor comes of it."""
    about: bool = False
    """It does so without reading any number."""
    steady: bool = False
    """Its form in place changes neither numbers nor shape nor history."""

    is_known: bool = True
    in_place: bool = False
    """This is the form that changes its first tensor: `add_`, `__iadd__`, `_foreach_add_`."""

    @property
    def writes(self) -> bool:
        """Whether its first tensor is another value afterwards."""
        return self.in_place and not self.steady

    @property
    def fills(self) -> bool:
        """Whether nothing of what was there has any part in what its form in place writes."""
        return self.in_place and (bool(self.fresh) or self.draws)

    @property
    def replaces(self) -> bool:
        """Whether it puts one value, or a part of one, into the place of another."""
        return bool(self.overwrites) or self.fills

    @property
    def replaces_all(self) -> bool:
        """Whether it gives its first tensor a whole new value."""
        return self.fills or (self.in_place and self.overwrites == "all")

    @property
    def excerpts(self) -> bool:
        """Whether zeros that come back from it say only that another part of the value counts."""
        return self.selects or self.joins

    @property
    def is_neutral_without(self) -> bool:
        """Whether gradient passes if its first argument is put into its place."""
        ends = self.detaches or bool(self.rewraps) or self.drops or (self.in_place and self.fresh == "zeros")
        return ends or self.name == "masked_fill" or (bool(self.bend) and self.gradient in ("flat", "steps"))
