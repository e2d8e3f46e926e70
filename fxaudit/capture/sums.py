"""How much of its own summands a gradient is: what lies below their rounding is no gradient at all.

A bias gets the sum, over the batch and all positions, of what comes back to the value that it was added to. Where that
sum is zero by mathematics (a bias before a batch norm, a key bias under softmax), rounding leaves a few units in the
last place of the summands. Only beside them can that be told: small beside the gradients of other parameters is
every bias of a model whose inputs are large.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import torch

from fxaudit.capture.unheard import UnheardByModes

if TYPE_CHECKING:
    from fxaudit.capture.autograd import Walk
    from fxaudit.capture.recorder import Recorder
    from fxaudit.capture.recording import LiveTrack

__all__ = ["Sums"]

ADDED: dict[str, tuple[int, ...]] = {
    "Add": (0, 1),
    "Sub": (0, 1),
    "Addmm": (0,),
    "Baddbmm": (0,),
    "Convolution": (2,),
    "NativeLayerNorm": (2,),
    "NativeGroupNorm": (2,),
    "NativeBatchNorm": (2,),
}
"""Node → the positions of what is added; its gradient is what comes in, summed to its shape."""
CHANNELS_SECOND = ("Convolution", "NativeGroupNorm", "NativeBatchNorm")
SUSPECT = 1e-3
"""A sum that is more than this share of what comes in is a gradient; nothing more is computed then."""


class Sums:
    """Hooks on the nodes that sum up a gradient for a leaf, for one backward."""

    def __init__(self, walk: Walk, recorder: Recorder) -> None:
        self._handles: list[Any] = []
        for node, kind, position, leaf in walk.gradient_sums(ADDED):
            hook = _hook(recorder.track(leaf), position, kind in CHANNELS_SECOND, recorder)
            self._handles.append(node.register_hook(hook))

    def close(self) -> None:
        """Take the hooks off."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()


def _hook(track: LiveTrack, position: int, second: bool, recorder: Recorder) -> Any:
    def look(grad_inputs: tuple[Any, ...], grad_outputs: tuple[Any, ...]) -> None:
        paused, recorder.paused = recorder.paused, True
        try:
            with contextlib.suppress(RuntimeError), UnheardByModes(), torch.no_grad():
                share = _share(grad_inputs[position], grad_outputs[0], second)
                if share is not None:
                    track.share_of_sum = max(track.share_of_sum or 0.0, share)
        finally:
            recorder.paused = paused

    return look


def _share(total: torch.Tensor | None, summands: torch.Tensor | None, second: bool) -> float | None:
    """The largest share that an element of the sum has of the sum of its summands' sizes; None where nothing came."""
    if total is None or summands is None or total.numel() == 0:
        return None
    size = float(torch.linalg.vector_norm(total))
    if not size and not bool(total.any()):
        return None
    if size > SUSPECT * float(torch.linalg.vector_norm(summands)):
        return 1.0
    sizes = summands.abs().double()
    over = [d for d in range(sizes.ndim) if d != (1 if second else sizes.ndim - 1)]
    sizes = sizes.sum(over) if over else sizes
    if sizes.shape != total.shape:
        return 1.0
    return float((total.abs().double() / sizes.clamp_min(torch.finfo(torch.float64).tiny)).max())
