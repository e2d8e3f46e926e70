"""Operations whose result is no number that anything could be learned from: masks, indices, counts, draws."""

from __future__ import annotations

from functools import partial

from fxaudit.capture.operations.operation import Operation

__all__ = ["WHOLE"]

mask = partial(Operation, gradient="none", dtype="bool", compares=True)
bound = partial(mask, bounds=True)
bits = partial(Operation, gradient="none", compares=True)
index = partial(Operation, gradient="none", dtype="int64")

WHOLE = (
    mask("eq", operator="eq"),
    mask("ne", ("not_equal",), operator="ne"),
    bound("lt", ("less",), operator="lt"),
    bound("le", ("less_equal",), operator="le"),
    bound("gt", ("greater",), operator="gt"),
    bound("ge", ("greater_equal",), operator="ge"),
    mask("equal", quiet=True),
    mask("isin"),
    mask("isclose"),
    mask("logical_and"),
    mask("logical_not"),
    mask("logical_or"),
    mask("logical_xor"),
    mask("isnan", checks=True),
    mask("isinf", checks=True),
    mask("isfinite", checks=True),
    mask("isneginf"),
    mask("isposinf"),
    mask("isreal"),
    mask("signbit"),
    Operation("allclose", gradient="none", dtype="bool", quiet=True),
    Operation("__contains__", gradient="none", dtype="bool", quiet=True),
    Operation("all", gradient="none", dtype="bool", reduces=True),
    Operation("any", gradient="none", dtype="bool", reduces=True),
    bits("bitwise_and", operator="and"),
    bits("bitwise_or", operator="or"),
    bits("bitwise_xor", operator="xor"),
    bits("bitwise_not", operator="invert"),
    Operation("bitwise_left_shift", gradient="none", operator="lshift"),
    Operation("bitwise_right_shift", gradient="none", operator="rshift"),
    index("argmax", reduces=True),
    index("argmin", reduces=True),
    index("argsort"),
    index("argwhere", counts=True),
    index("nonzero", counts=True),
    index("bincount"),
    index("bucketize"),
    index("searchsorted"),
    index("count_nonzero", reduces=True),
    index("one_hot", spells=True),
    index("multinomial", draws=True),
    Operation("histc", gradient="none"),
    Operation("histogram", gradient="none"),
    Operation("unique", gradient="none", counts=True),
    Operation("unique_consecutive", gradient="none", counts=True),
    Operation("floor_divide", gradient="none", operator="floordiv"),
    Operation("rfloordiv", gradient="none"),
    Operation("bernoulli", gradient="steps", draws=True),
    Operation("binomial", gradient="none", draws=True),
    Operation("poisson", gradient="steps", draws=True),
)
