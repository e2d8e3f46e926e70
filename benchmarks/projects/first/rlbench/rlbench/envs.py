"""Environments without external dependencies."""
from __future__ import annotations

import torch


class LineWorld:
    """Walk on a line towards a goal; the observation carries two noise channels."""

    observation_size = 4
    action_count = 3

    def __init__(self, horizon: int = 8, seed: int = 0) -> None:
        self._horizon = horizon
        self._gen = torch.Generator().manual_seed(seed)
        self._pos = 0.0
        self._goal = 0.0
        self._t = 0

    def _observe(self) -> torch.Tensor:
        noise = torch.randn(2, generator=self._gen) * 0.3
        return torch.cat([torch.tensor([self._pos, self._goal]), noise])

    def reset(self) -> torch.Tensor:
        self._pos = float(torch.randn((), generator=self._gen))
        self._goal = float(torch.randn((), generator=self._gen))
        self._t = 0
        return self._observe()

    def step(self, action: int) -> tuple[torch.Tensor, float, bool]:
        self._pos += 0.4 * (action - 1)
        self._t += 1
        reward = -abs(self._goal - self._pos)
        return self._observe(), reward, self._t >= self._horizon
