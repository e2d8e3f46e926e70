"""Masks, conditions and indices that select something else, or nothing."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from fxaudit.capture.facts.fact import Derivative, Fact, FactExample, Family, are, places

__all__ = ["SELECTIONS"]

MASK = "Look at how the mask is made: print how many of its elements are True."
MASKED = "Look at the mask: it lets padding through, and nothing else."
PADDING = "Look at the indices: nothing but padding is looked up."
DROPPED = "Lower its probability `p`; it is the share that is dropped, not the share that is kept."


def _ask(derivative: Derivative) -> Fact | None:
    match derivative.name:
        case "Where":
            chosen = derivative.position == 0
            return _mask(derivative, "condition", chosen, "the condition of `where`")
        case "MaskedFill" | "MaskedScatter":
            return _mask(derivative, "mask", derivative.position != 0, "the mask")
        case "NativeDropout":
            kept = derivative.tensor("result1")
            everything = kept is not None and not bool(kept.any())
            return Fact("dropout drops everything", DROPPED) if everything else None
        case "IndexCopy":
            return _left_as_it_was(derivative) if derivative.position == 0 else None
    return _padding(derivative)


def _left_as_it_was(derivative: Derivative) -> Fact | None:
    """That some rows are not overwritten, and get no gradient: what comes in is zero there."""
    index, dim, gradient = derivative.tensor("index"), derivative.saved("dim"), derivative.incoming
    if index is None or not isinstance(dim, int) or gradient is None:
        return None
    dim = dim - (1 << 64) if dim >= 1 << 63 else dim  # kept unsigned
    left = gradient.shape[dim] - int(index.unique().numel())
    words = f"no gradient comes to {places(left, 'row')} that it leaves as they were"
    return Fact(words, in_part=True) if left > 0 else None


def _mask(derivative: Derivative, key: str, selects: bool, what: str) -> Fact | None:
    """`selects`: the value of the mask that would let the gradient pass to the input that is asked about."""
    mask = derivative.tensor(key)
    if mask is None or mask.dtype is not torch.bool:
        return None
    gradient = derivative.incoming
    if gradient is not None and mask.shape != gradient.shape:
        mask = mask.expand_as(gradient)
    alive = derivative.alive(mask)
    if alive.numel() == 0 or bool((alive == selects).any()):
        return None
    where = "everywhere" if alive.numel() == mask.numel() else "wherever gradient comes"
    return Fact(f"{what} is {not selects} {where} ({places(alive.numel(), 'element')})", MASK)


def _padding(derivative: Derivative) -> Fact | None:
    indices, padding = derivative.tensor("indices"), derivative.saved("padding_idx")
    if indices is None or not isinstance(padding, int):
        return None
    padding = padding - (1 << 64) if padding >= 1 << 63 else padding  # kept unsigned
    if padding < 0:
        return None
    gradient, alive = derivative.incoming, indices
    if gradient is not None and gradient.layout is torch.strided and gradient.shape[:-1] == indices.shape:
        alive = indices[(gradient != 0).any(-1)]
    if alive.numel() == 0 or not bool((alive == padding).all()):
        return None
    count = alive.numel()
    if bool((indices == padding).all()):
        seen = f"{places(indices.numel(), 'index', 'indices')} {are(indices.numel())} {padding}"
        return Fact(f"{seen}, the padding row, which gets no gradient", PADDING, leaves_out=True)
    seen = f"{places(count, 'index', 'indices')} to which gradient comes {are(count)} {padding}"
    return Fact(f"{seen}, the padding row, which gets none", MASKED, masked=True)


def _never() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.ones(2, 3, requires_grad=True)
    return leaf, torch.where(torch.zeros(2, 3, dtype=torch.bool), leaf, torch.ones(2, 3, requires_grad=True)).sum()


def _filled() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.ones(4, requires_grad=True)
    return leaf, leaf.masked_fill(torch.ones(4, dtype=torch.bool), 0.0).sum()


def _only_padding() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.ones(5, 3, requires_grad=True)
    return leaf, F.embedding(torch.zeros(6, dtype=torch.long), leaf, padding_idx=0).sum()


def _masked_to_padding() -> tuple[torch.Tensor, torch.Tensor]:
    leaf, ids = torch.ones(5, 3, requires_grad=True), torch.tensor([2, 3, 0, 0])
    return leaf, (F.embedding(ids, leaf, padding_idx=0) * (ids == 0)[:, None]).sum()


def _only_the_copied() -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.ones(4, 3, requires_grad=True)
    return leaf, leaf.index_copy(0, torch.tensor([1]), torch.ones(1, 3, requires_grad=True))[1].sum()


SELECTIONS = Family(
    frozenset({"Where", "MaskedFill", "MaskedScatter", "NativeDropout", "Embedding", "IndexCopy"}),
    _ask,
    (
        FactExample(_never, "the condition of `where` is False everywhere (all 6 elements)"),
        FactExample(_filled, "the mask is True everywhere (all 4 elements)"),
        FactExample(_only_padding, "all 6 indices are 0, the padding row, which gets no gradient"),
        FactExample(
            _masked_to_padding, "all 2 indices to which gradient comes are 0, the padding row, which gets none"
        ),
        FactExample(_only_the_copied, "no gradient comes to all 3 rows that it leaves as they were"),
    ),
)
