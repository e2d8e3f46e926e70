"""Rollout storage and return computation."""
from __future__ import annotations

from dataclasses import dataclass, field

import torch


@dataclass
class RolloutBuffer:
    capacity: int
    gamma: float = 0.95
    observations: list = field(default_factory=list)
    actions: list = field(default_factory=list)
    rewards: list = field(default_factory=list)
    dones: list = field(default_factory=list)

    def add(self, obs, action, reward, done) -> None:
        self.observations.append(obs)
        self.actions.append(action)
        self.rewards.append(reward)
        self.dones.append(done)

    def __len__(self) -> int:
        return len(self.rewards)

    @property
    def full(self) -> bool:
        return len(self) >= self.capacity

    def returns(self) -> torch.Tensor:
        out, acc = [], 0.0
        for r, d in zip(reversed(self.rewards), reversed(self.dones)):
            acc = r + self.gamma * acc * (1.0 - float(d))
            out.append(acc)
        return torch.tensor(out[::-1])

    def tensors(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return torch.stack(self.observations), torch.tensor(self.actions), self.returns()

    def clear(self) -> None:
        for name in ("observations", "actions", "rewards", "dones"):
            getattr(self, name).clear()
