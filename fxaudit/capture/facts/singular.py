"""Functions whose derivative, or value, is infinite or NaN at the numbers they got."""

from __future__ import annotations

from collections.abc import Callable

import torch

from fxaudit.capture.facts.fact import Derivative, Fact, FactExample, Family, number

__all__ = ["SINGULAR"]

POLES: dict[str, tuple[str, str, float]] = {
    "Log": ("log", "self", 0.0),
    "Log2": ("log2", "self", 0.0),
    "Log10": ("log10", "self", 0.0),
    "Log1P": ("log1p", "self", -1.0),
    "Sqrt": ("sqrt", "result", 0.0),
    "Rsqrt": ("rsqrt", "self", 0.0),
    "Std": ("std", "result", 0.0),
}
"""Node → (function, what the node keeps, the number at which the derivative is infinite)."""
EDGES = {"Acos": "acos", "Asin": "asin", "Atanh": "atanh"}
SHARES = {"Softmax": "softmax", "LogSoftmax": "log_softmax"}
MASKED = (
    "A row that is -inf everywhere has no softmax: leave one element of every row unmasked, or leave such rows out "
    "before; masking the result afterwards does not help, as 0 times NaN is NaN."
)
AWAY = "Keep it away from there: add a small number such as 1e-8, or clamp what goes in."


def _ask(derivative: Derivative) -> Fact | None:
    if derivative.name in POLES:
        return _at_a_pole(derivative)
    if derivative.name in EDGES:
        inputs = derivative.tensor("self")
        return _said(EDGES[derivative.name], "a number not between -1 and 1", inputs, lambda t: t.abs() >= 1)
    if derivative.name in SHARES:
        return _masked_out(derivative)
    if derivative.name == "Div":
        return _divided(derivative)
    if derivative.name == "Pow":
        return _power(derivative)
    if derivative.name == "Exp":
        return _said("exp", "a number too large", derivative.tensor("result"), torch.isinf)
    return _said("reciprocal", "0", derivative.tensor("result"), torch.isinf)


def _at_a_pole(derivative: Derivative) -> Fact | None:
    name, key, pole = POLES[derivative.name]
    kept = derivative.tensor(key)
    if name.startswith("log"):
        below = _said(name, f"a number below {number(pole)}", kept, lambda t: t < pole)
        if below is not None:
            return below
    if name == "std":
        return _said(name, "equal numbers", kept, lambda t: t == 0)
    return _said(name, number(pole), kept, lambda t: t == pole)


def _masked_out(derivative: Derivative) -> Fact | None:
    """Some rows of a softmax that are NaN, as a row of nothing but -inf is; where every row is, that came in."""
    result, dim = derivative.tensor("result"), derivative.saved("dim")
    if result is None or not isinstance(dim, int) or result.ndim == 0 or not bool(torch.isnan(result.sum())):
        return None
    rows = torch.isnan(result).all(dim - (1 << 64) if dim >= 1 << 63 else dim)  # kept unsigned
    count = int(rows.sum())
    if not 0 < count < rows.numel():
        return None
    return Fact(f"`{SHARES[derivative.name]}` is NaN in {count} of {rows.numel()} rows", MASKED, masked=True)


def _divided(derivative: Derivative) -> Fact | None:
    divisor = derivative.saved("other")
    if isinstance(divisor, int | float):
        return Fact("a division by 0", AWAY) if divisor == 0 else None
    divisor = derivative.tensor("other")
    if divisor is None:
        return None
    zeros = int((divisor == 0).sum())
    return Fact(f"a division by 0 {_at(zeros, divisor.numel())}", AWAY) if zeros else None


def _power(derivative: Derivative) -> Fact | None:
    exponent = derivative.saved("exponent")
    if not isinstance(exponent, int | float) or (exponent >= 1 and exponent == int(exponent)):
        return None
    base = derivative.tensor("self")
    if exponent < 1:
        at_zero = _said("the power " + number(exponent), "0", base, lambda t: t == 0, quoted=False)
        if at_zero is not None:
            return at_zero
    return _said("the power " + number(exponent), "a negative number", base, lambda t: t < 0, quoted=False)


def _said(
    name: str, of: str, kept: torch.Tensor | None, singular: Callable[[torch.Tensor], torch.Tensor], quoted: bool = True
) -> Fact | None:
    if kept is None or kept.is_complex():
        return None
    count = int(singular(kept).sum())
    if not count:
        return None
    function = f"`{name}`" if quoted else name
    return Fact(f"{function} of {of} {_at(count, kept.numel())}", AWAY)


def _at(count: int, total: int) -> str:
    if total == 1:
        return "(its one element)"
    return f"at all {total} elements" if count == total else f"at {count} of {total} elements"


def _of(
    function: Callable[[torch.Tensor], torch.Tensor], *values: float
) -> Callable[[], tuple[torch.Tensor, torch.Tensor]]:
    def make() -> tuple[torch.Tensor, torch.Tensor]:
        leaf = torch.tensor(values, requires_grad=True)
        return leaf, function(leaf).sum()

    return make


def _masked_row() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    masked = leaf + torch.tensor([[0.0, 0.0], [float("-inf"), float("-inf")]])
    return leaf, masked.softmax(-1)[:1].sum()


SINGULAR = Family(
    frozenset({*POLES, *EDGES, *SHARES, "Div", "Pow", "Exp", "Reciprocal"}),
    _ask,
    (
        FactExample(_of(torch.log, 0.0, 1.0, 2.0), "`log` of 0 at 1 of 3 elements", "nonfinite"),
        FactExample(_of(torch.sqrt, 0.0, 0.0), "`sqrt` of 0 at all 2 elements", "nonfinite"),
        FactExample(_of(lambda x: 1 / x, 0.0, 2.0), "`reciprocal` of 0 at 1 of 2 elements", "nonfinite"),
        FactExample(
            _of(lambda x: x / torch.tensor([0.0, 2.0]), 1.0, 2.0), "a division by 0 at 1 of 2 elements", "nonfinite"
        ),
        FactExample(_of(lambda x: x**0.5, 0.0, 2.0), "the power 0.5 of 0 at 1 of 2 elements", "nonfinite"),
        FactExample(_masked_row, "`softmax` is NaN in 1 of 2 rows", "nonfinite"),
        FactExample(_of(torch.exp, 800.0, 1.0), "`exp` of a number too large at 1 of 2 elements", "nonfinite"),
        FactExample(
            _of(torch.acos, 1.0, 0.5), "`acos` of a number not between -1 and 1 at 1 of 2 elements", "nonfinite"
        ),
    ),
    "nonfinite",
)
