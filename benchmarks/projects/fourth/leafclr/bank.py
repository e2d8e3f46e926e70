from __future__ import annotations

from collections import deque

import torch
from torch import Tensor


class KeyBank:
    """Keys of the last batches, used as negatives."""

    def __init__(self, batches: int) -> None:
        self._keys: deque[Tensor] = deque(maxlen=batches)

    def tensor(self) -> Tensor | None:
        return torch.cat(list(self._keys)) if self._keys else None

    def push(self, keys: Tensor) -> None:
        self._keys.append(keys)
