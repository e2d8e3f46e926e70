"""An audit without execution: the symbolic trace judges structure alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from fxaudit.report import Report
from fxaudit.rule import Rule

__all__ = ["symbolic_report"]


def symbolic_report(
    named: Sequence[tuple[str, nn.Module]], optimizers: Sequence[Any], expect: Mapping[str, str], rules: Sequence[type[Rule]]
) -> Report:
    """The report of `audit(model)`."""
    raise NotImplementedError
