"""Run settings, overridable as key=value on the command line."""
from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass
class Settings:
    seed: int = 0
    hidden: int = 12
    episodes: int = 16
    horizon: int = 8
    rollout_length: int = 16
    gamma: float = 0.95
    actor_lr: float = 5e-3
    critic_lr: float = 1e-2
    target_entropy: float = 0.6

    @classmethod
    def from_args(cls, args: list[str]) -> "Settings":
        types = {f.name: type(f.default) for f in fields(cls)}
        given = {}
        for a in args:
            k, v = a.split("=", 1)
            given[k] = types[k](v)
        return cls(**given)
