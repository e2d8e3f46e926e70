"""The one table of torch operations: a row for each that fxaudit reasons about, and how to find it.

`x.mul_(2)`, `x *= 2`, `2 * x`, `torch.multiply(x, 2)` are all `mul`. The in-place and the operator forms follow from
the name; torch's synonyms are listed, as its documentation lists them ("Alias for …").
"""

from __future__ import annotations

from fxaudit.capture.operations.lookup import OPERATIONS, of, plain_name
from fxaudit.capture.operations.operation import Operation

__all__ = ["OPERATIONS", "Operation", "of", "plain_name"]
