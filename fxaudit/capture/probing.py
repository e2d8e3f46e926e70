"""What the numbers of a tensor are like."""

from __future__ import annotations

import torch

from fxaudit.capture.recording import Value
from fxaudit.capture.unheard import UnheardByModes
from fxaudit.capture.values import local_part

__all__ = ["finds_nonfinite", "probe"]


def probe(tensor: torch.Tensor, value: Value) -> None:
    """Whether all numbers of `tensor` are zero, and whether all are finite."""
    try:
        with UnheardByModes():
            plain = local_part(tensor.detach())
            value.zero = plain.numel() == 0 or not bool(plain.any())
            value.finite = not value.floating or bool(torch.isfinite(plain).all())
            value.nan = value.finite is False and bool(torch.isnan(plain).any())
    except (RuntimeError, NotImplementedError, TypeError):
        pass  # sparse layouts, meta tensors and functorch wrappers cannot be looked into


def finds_nonfinite(check: str, outcome: list[torch.Tensor]) -> bool:
    """Whether what `isnan`, `isinf` or `isfinite` gave says that some number is not finite."""
    with UnheardByModes():
        found = [t for t in outcome if t.device.type != "meta" and t.layout is torch.strided]
        return any(bool((~t if check == "isfinite" else t).any()) for t in found)
